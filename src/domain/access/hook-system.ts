/** Systems whose hooks are served: each makes and checks its codes itself. */
export const HOOK_SYSTEMS = ["supabase", "logto", "authgear", "zitadel", "keycloak"] as const;
export type HookSystem = (typeof HOOK_SYSTEMS)[number];
