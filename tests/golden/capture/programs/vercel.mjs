// The Vercel AI SDK: text, a stream, tools, an object, embeddings, an error.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { embed, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const url = process.env.CAPTURE_URL;
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "capture", "deployment.environment.name": "staging" }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces` }))],
});
provider.register();

const openai = createOpenAICompatible({ name: "openai", baseURL: `${url}/v1`, apiKey: "sk-capture", includeUsage: true });
const experimental_telemetry = {
  isEnabled: true,
  functionId: "weather",
  metadata: { userId: "user-1", sessionId: "session-1", plan: "pro" },
};
const model = openai("gpt-4o");
const messages = [{ role: "user", content: "Weather in Bern?" }];
const get_weather = tool({
  description: "The weather in a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async () => ({ rain: true }),
});

await generateText({ model, system: "Be brief.", prompt: "Weather in Bern?", temperature: 0.2, maxOutputTokens: 64, experimental_telemetry });
await streamText({ model, messages, experimental_telemetry }).consumeStream();
await generateText({ model, messages, tools: { get_weather }, stopWhen: stepCountIs(2), experimental_telemetry });
await embed({ model: openai.textEmbeddingModel("text-embedding-3-small"), value: "Bern", experimental_telemetry });
await generateText({ model: openai("no-such-model"), messages, maxRetries: 0, experimental_telemetry }).catch(() => {});
await provider.shutdown();
