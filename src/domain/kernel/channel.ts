export type Channel = "sms" | "voice" | "whatsapp";
