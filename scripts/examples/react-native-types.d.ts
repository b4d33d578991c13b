/*
 * Exactly what react-native.tsx uses of React and React Native, so that it can be checked here without installing them. In
 * an app leave this file out: their own types take its place.
 */
declare module "react" {
  export function useState<T>(initial: T): [T, (value: T) => void];
  export function useEffect(effect: () => (() => void) | undefined, dependencies: readonly unknown[]): void;
}

declare module "react/jsx-runtime" {
  export namespace JSX {
    interface Element {
      readonly type: unknown;
    }
    interface ElementChildrenAttribute {
      children: unknown;
    }
  }
  export function jsx(type: unknown, props: unknown): JSX.Element;
  export function jsxs(type: unknown, props: unknown): JSX.Element;
}

declare module "react-native" {
  import type { JSX } from "react/jsx-runtime";

  export function View(props: { children?: unknown }): JSX.Element;
  export function Text(props: {
    children?: unknown;
    accessibilityLiveRegion?: "none" | "polite" | "assertive";
  }): JSX.Element;
  export function Button(props: { title: string; onPress: () => void; disabled?: boolean }): JSX.Element;
  export function TextInput(props: {
    accessibilityLabel: string;
    value: string;
    onChangeText: (text: string) => void;
    keyboardType?: "phone-pad" | "number-pad";
    autoComplete?: "tel" | "sms-otp";
    textContentType?: "telephoneNumber" | "oneTimeCode";
    maxLength?: number;
  }): JSX.Element;
}
