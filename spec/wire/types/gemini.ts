// Gemini's REST body out of the types of the official SDK, which orders the same parts another way and
// writes its words as enums.
import type { Content, FunctionCallingConfig, GenerateContentConfig, Schema, FunctionDeclaration } from "@google/genai";

type AsSent<T> = T extends string
  ? `${T}`
  : T extends (infer U)[]
    ? AsSent<U>[]
    : T extends object
      ? { [K in keyof T]: AsSent<T[K]> }
      : T;

interface Declaration extends Pick<FunctionDeclaration, "name" | "description"> {
  parameters?: AsSent<Schema>;
}

export interface GeminiRequest {
  systemInstruction?: AsSent<Pick<Content, "parts" | "role">>;
  contents: AsSent<Content>[];
  tools?: { functionDeclarations: Declaration[] }[];
  toolConfig?: { functionCallingConfig: AsSent<FunctionCallingConfig> };
  generationConfig?: AsSent<
    Pick<GenerateContentConfig, "maxOutputTokens" | "temperature" | "topP" | "thinkingConfig" | "stopSequences">
  >;
}
