/** The texts of one language. */
export interface LanguageTexts {
  /** By flow; `default` serves the flows without one of their own. */
  texts: Readonly<Record<string, string>> & { readonly default: string };
  /** For calls; the code's digits come apart. */
  spoken: string;
  /** The pause between spoken digits. */
  pause: string;
  /** The line that people can hold against a caller who asks for the code. */
  warnLine: string;
}

/**
 * The texts for policies without their own. Spanish and Portuguese do without the word "código", whose ó is
 * not in GSM-7 and would double the price. Hindi and Arabic are UCS-2 and fit 70 characters with a code of 6, a brand of 8
 * and an origin line for a host of 15.
 *
 * Arabic begins with the code and an Arabic word: digits are neutral, so that word makes the paragraph right-to-left, and
 * no brand stands next to the code to draw it into its own direction. That is why no directional isolates are needed; they
 * would cost two characters and put an invisible character next to the digits that autofill looks for.
 */
export const SHIPPED_TEXTS: Readonly<Record<string, LanguageTexts>> = {
  en: {
    texts: {
      default: "{code} is your {brand} code. Never share it.",
      login: "{code} is your {brand} login code. Never share it.",
      recovery: "{code} is your {brand} account recovery code. Never share it.",
      payment: "{code} is your {brand} payment code. Never share it.",
    },
    spoken: "Your {brand} code is: {code}.",
    pause: ", ",
    warnLine: "We will never call you for this code.",
  },
  hi: {
    texts: {
      default: "{code} आपका {brand} कोड है। किसी को न दें।",
      login: "{code}: {brand} लॉगिन कोड। किसी को न दें।",
      recovery: "{code}: {brand} रिकवरी कोड। किसी को न दें।",
      payment: "{code}: {brand} भुगतान कोड। किसी को न दें।",
    },
    spoken: "आपका {brand} कोड है: {code}।",
    pause: ", ",
    warnLine: "हम यह कोड कभी फ़ोन पर नहीं माँगते।",
  },
  es: {
    texts: {
      default: "Usa {code} para confirmar tu teléfono en {brand}. No lo compartas con nadie.",
      login: "Usa {code} para entrar en {brand}. No lo compartas con nadie.",
      recovery: "Usa {code} para recuperar tu cuenta de {brand}. No lo compartas con nadie.",
      payment: "Usa {code} para autorizar tu pago en {brand}. No lo compartas con nadie.",
    },
    spoken: "Tu código de {brand} es: {code}.",
    pause: ", ",
    warnLine: "Nunca te llamaremos para pedirlo.",
  },
  pt: {
    texts: {
      default: "Use {code} para confirmar o seu telefone em {brand}. Nunca o envie a outra pessoa.",
      login: "Use {code} para entrar em {brand}. Nunca o envie a outra pessoa.",
      recovery: "Use {code} para recuperar a sua conta {brand}. Nunca o envie a outra pessoa.",
      payment: "Use {code} para autorizar o pagamento em {brand}. Nunca o envie a outra pessoa.",
    },
    spoken: "O seu código {brand} é: {code}.",
    pause: ", ",
    warnLine: "Nunca ligaremos para pedi-lo.",
  },
  fr: {
    texts: {
      default: "{code} est votre code {brand}. Ne le partagez jamais.",
      login: "{code} est votre code de connexion {brand}. Ne le partagez jamais.",
      recovery: "{code} est votre code de récupération {brand}. Ne le partagez jamais.",
      payment: "{code} est votre code de paiement {brand}. Ne le partagez jamais.",
    },
    spoken: "Votre code {brand} est : {code}.",
    pause: ", ",
    warnLine: "Nous ne vous appellerons jamais pour le demander.",
  },
  ar: {
    texts: {
      default: "{code} هو رمزك في {brand}. لا تشاركه.",
      login: "{code} رمز دخولك إلى {brand}. لا تشاركه.",
      recovery: "{code} رمز استعادة حساب {brand}. لا تشاركه.",
      payment: "{code} رمز الدفع في {brand}. لا تشاركه.",
    },
    spoken: "رمزك في {brand} هو: {code}.",
    pause: "، ",
    warnLine: "لن نتصل بك أبدًا لطلب هذا الرمز.",
  },
  id: {
    texts: {
      default: "{code} adalah kode {brand} Anda. Jangan berikan kepada siapa pun.",
      login: "{code} adalah kode masuk {brand} Anda. Jangan berikan kepada siapa pun.",
      recovery: "{code} adalah kode pemulihan akun {brand} Anda. Jangan berikan kepada siapa pun.",
      payment: "{code} adalah kode pembayaran {brand} Anda. Jangan berikan kepada siapa pun.",
    },
    spoken: "Kode {brand} Anda adalah: {code}.",
    pause: ", ",
    warnLine: "Kami tidak akan pernah menelepon untuk meminta kode ini.",
  },
};
