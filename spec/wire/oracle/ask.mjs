// The official SDKs as clients: `ask.mjs WIRE URL KEY` sends the body on stdin as they send it, reads the answer
// as they read it, and prints { text, calls: [{ name, args }] }.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { resolve } = createRequire(`${process.cwd()}/`);
const load = (name) => import(pathToFileURL(resolve(name)).href);
const [wire, baseURL, apiKey] = process.argv.slice(2);

async function anthropic(body) {
  const { default: Anthropic } = await load("@anthropic-ai/sdk");
  const message = await new Anthropic({ baseURL, apiKey, maxRetries: 0 }).messages.stream(body).finalMessage();
  const of = (type) => message.content.filter((block) => block.type === type);
  return {
    text: of("text").map((block) => block.text).join(""),
    calls: of("tool_use").map((block) => ({ name: block.name, args: block.input })),
  };
}

async function completions(client, body) {
  const { choices } = await client.chat.completions.stream(body).finalChatCompletion();
  const { content, tool_calls } = choices[0].message;
  return {
    text: content ?? "",
    calls: (tool_calls ?? []).map((call) => ({ name: call.function.name, args: JSON.parse(call.function.arguments) })),
  };
}

async function openai(body) {
  const { OpenAI } = await load("openai");
  return completions(new OpenAI({ baseURL: `${baseURL}/v1`, apiKey, maxRetries: 0 }), body);
}

async function azure(body) {
  const { AzureOpenAI } = await load("openai");
  const options = { endpoint: baseURL, apiKey, apiVersion: "2024-10-21", deployment: "ours", maxRetries: 0 };
  return completions(new AzureOpenAI(options), body);
}

async function gemini(options, model, body) {
  const { GoogleGenAI } = await load("@google/genai");
  const { contents, generationConfig, ...rest } = body;
  const client = new GoogleGenAI(options);
  const answer = { text: "", calls: [] };
  const config = { ...rest, ...generationConfig };
  for await (const chunk of await client.models.generateContentStream({ model, contents, config })) {
    for (const part of chunk.candidates?.[0]?.content?.parts ?? []) {
      if (part.text && !part.thought) answer.text += part.text;
      if (part.functionCall) answer.calls.push({ name: part.functionCall.name, args: part.functionCall.args });
    }
  }
  return answer;
}

const google = (body) => gemini({ apiKey, httpOptions: { baseUrl: baseURL, apiVersion: "v1beta" } }, "m", body);

async function vertex(body) {
  const { OAuth2Client } = await load("google-auth-library");
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: apiKey });
  const place = { vertexai: true, project: "ours", location: "europe-west4", googleAuthOptions: { authClient } };
  return gemini({ ...place, httpOptions: { baseUrl: baseURL, apiVersion: "v1" } }, "gemini-3-m", body);
}

async function bedrock(body) {
  const { BedrockRuntimeClient, ConverseStreamCommand } = await load("@aws-sdk/client-bedrock-runtime");
  const { NodeHttpHandler } = await load("@smithy/node-http-handler");
  const client = new BedrockRuntimeClient({
    endpoint: baseURL, region: "eu-central-1", maxAttempts: 1, requestHandler: new NodeHttpHandler(),
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
  });
  const { stream } = await client.send(new ConverseStreamCommand({ modelId: "eu.anthropic.claude-v1:0", ...body }));
  const answer = { text: "", calls: [] };
  for await (const { contentBlockStart, contentBlockDelta } of stream) {
    const call = contentBlockStart?.start?.toolUse;
    if (call) answer.calls.push({ name: call.name, args: "" });
    answer.text += contentBlockDelta?.delta?.text ?? "";
    const more = contentBlockDelta?.delta?.toolUse?.input;
    if (more !== undefined) answer.calls.at(-1).args += more;
  }
  for (const call of answer.calls) call.args = JSON.parse(call.args || "{}");
  return answer;
}

const sdks = {
  anthropic, openai, "azure-openai": azure, "google-ai": google, "vertex-ai": vertex, "aws-bedrock": bedrock,
};

let text = "";
for await (const piece of process.stdin) text += piece;
console.log(JSON.stringify(await sdks[wire](JSON.parse(text))));
