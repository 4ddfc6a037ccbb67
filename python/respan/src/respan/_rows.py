"""The instrumentations that Respan() knows by name, and which of them it switches on by itself, as plain dicts: every
Respan() reads them, and dataclasses cost more to import than all of respan (`_registry.py` has them).

The ids, names and packages are those of PyPI's `respan-ai`, so that a script written for it finds the same entries.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GATEWAY = "opt-in: such calls mostly go over the OpenAI-compatible transport, which is traced already"
CREDENTIALS = "opt-in: it needs credentials of the provider, or a local runtime"
UNBUNDLED = "opt-in: its adapter brings heavy dependencies"
FRAMEWORK = "opt-in: beside the SDK below it, each call would have two spans"
AGENT = "opt-in: agent frameworks nest, and each call would have two spans"
PROTOCOL = "opt-in: protocols and tools"
BRIDGE = "opt-in: it bridges to another tracing product"
VECTORS = "opt-in: vector databases"


def _row(
    identifier: str, category: str, provider: str, sdk: str, instrumentor: str, off: str | None = None, **more: Any
) -> dict[str, Any]:
    module = more.pop("module", f"respan_instrumentation_{identifier.replace('-', '_')}")
    return {
        "id": identifier,
        "category": category,
        "provider": provider,
        "sdk_package": sdk,
        "instrumentation_package": f"respan-instrumentation-{identifier}",
        "entry_point": identifier,
        "import_path": f"{module}:{instrumentor}Instrumentor",
        "enabled_by_default": off is None,
        "priority": 100,
        "aliases": (),
        "conflicts_with": (),
        "auto_disabled_reason": off,
        "constructor_kwargs": (),
        **more,
    }


_LLM, _WRAPPER, _FRAMEWORK, _AGENT = "direct_llm", "llm_wrapper", "framework", "agent_framework"

ROWS: tuple[dict[str, Any], ...] = (
    _row("openai", _LLM, "OpenAI", "openai", "OpenAI", priority=10),
    _row("anthropic", _LLM, "Anthropic", "anthropic", "Anthropic", priority=20),
    _row("vertexai", _LLM, "Google Vertex AI", "vertexai", "VertexAI", priority=30),
    _row("google-genai", _LLM, "Google Gen AI", "google-genai", "GoogleGenAI", priority=31),
    _row("aws-bedrock", _LLM, "AWS Bedrock", "boto3", "AWSBedrock", priority=40, aliases=("bedrock",)),
    _row("cohere", _LLM, "Cohere", "cohere", "Cohere", GATEWAY, priority=50),
    _row("together", _LLM, "Together AI", "together", "Together", priority=60),
    _row("groq", _LLM, "Groq", "groq", "Groq", GATEWAY, priority=70),
    _row("mistralai", _LLM, "Mistral AI", "mistralai", "MistralAI", UNBUNDLED, priority=80),
    _row("ollama", _LLM, "Ollama", "ollama", "Ollama", priority=90),
    _row("aleph-alpha", _LLM, "Aleph Alpha", "aleph-alpha-client", "AlephAlpha", CREDENTIALS, priority=100),
    _row("huggingface", _LLM, "Hugging Face", "transformers", "HuggingFace", priority=110),
    _row("litellm", _WRAPPER, "LiteLLM", "litellm", "LiteLLM", FRAMEWORK, priority=120),
    _row("replicate", _LLM, "Replicate", "replicate", "Replicate", GATEWAY, priority=130),
    _row("sagemaker", _LLM, "AWS SageMaker", "boto3", "SageMaker", GATEWAY, priority=140),
    _row("watsonx", _LLM, "IBM watsonx", "ibm-watsonx-ai", "Watsonx", CREDENTIALS, priority=150),
    _row("writer", _LLM, "Writer", "writerai", "Writer", CREDENTIALS, priority=160),
    _row("portkey", _LLM, "Portkey", "portkey-ai", "Portkey", GATEWAY, priority=170),
    _row(
        "openrouter",
        _LLM,
        "OpenRouter",
        "openai",
        "OpenRouter",
        GATEWAY,
        priority=180,
        conflicts_with=("openai",),
        constructor_kwargs=(("normalize_all_openai_spans", False),),
    ),
    _row("instructor", _WRAPPER, "Instructor", "instructor", "Instructor", FRAMEWORK),
    _row("langchain", _FRAMEWORK, "LangChain", "langchain", "LangChain", FRAMEWORK),
    _row("llama-index", _FRAMEWORK, "LlamaIndex", "llama-index", "LlamaIndex", FRAMEWORK),
    _row("haystack", _FRAMEWORK, "Haystack", "haystack-ai", "Haystack", FRAMEWORK),
    _row("dspy", _FRAMEWORK, "DSPy", "dspy", "DSPy", FRAMEWORK),
    _row("guardrails", _FRAMEWORK, "Guardrails", "guardrails-ai", "Guardrails", FRAMEWORK),
    _row("pydantic-ai", _AGENT, "Pydantic AI", "pydantic-ai", "PydanticAI", AGENT),
    _row("openai-agents", _AGENT, "OpenAI Agents", "openai-agents", "OpenAIAgents", AGENT),
    _row("claude-agent-sdk", _AGENT, "Claude Agent SDK", "claude-agent-sdk", "ClaudeAgentSDK", AGENT),
    _row("google-adk", _AGENT, "Google ADK", "google-adk", "GoogleADK", AGENT),
    _row("strands-agents", _AGENT, "Strands Agents", "strands-agents", "StrandsAgents", AGENT),
    _row("beeai", _AGENT, "BeeAI", "beeai-framework", "BeeAI", AGENT),
    _row("smolagents", _AGENT, "smolagents", "smolagents", "Smolagents", AGENT),
    _row("crewai", _AGENT, "CrewAI", "crewai", "CrewAI", AGENT),
    _row("agno", _AGENT, "Agno", "agno", "Agno", AGENT),
    _row("autogen", _AGENT, "AutoGen", "autogen-agentchat", "AutoGen", AGENT),
    _row("dify", "app_framework", "Dify", "dify-client", "Dify", FRAMEWORK),
    _row("agentspec", _AGENT, "AgentSpec", "agentspec", "AgentSpec", AGENT),
    _row("pipecat", _AGENT, "Pipecat", "pipecat-ai", "Pipecat", AGENT),
    _row("superagent", _AGENT, "Superagent", "superagent", "Superagent", AGENT),
    _row("agentscope", _AGENT, "AgentScope", "agentscope", "AgentScope", AGENT),
    _row("livekit", _AGENT, "LiveKit Agents", "livekit-agents", "LiveKit", AGENT),
    _row(
        "microsoft-agent-framework",
        _AGENT,
        "Microsoft Agent Framework",
        "agent-framework-core",
        "MicrosoftAgentFramework",
        AGENT,
    ),
    _row(
        "watson-orchestrate-adk",
        _AGENT,
        "IBM watsonx Orchestrate ADK",
        "ibm-watsonx-orchestrate",
        "WatsonOrchestrateADK",
        AGENT,
    ),
    _row("semantic-kernel", _FRAMEWORK, "Microsoft Semantic Kernel", "semantic-kernel", "SemanticKernel", FRAMEWORK),
    _row("cursor-sdk", "protocol", "Cursor SDK", "cursor", "CursorSDK", PROTOCOL),
    _row("mcp", "protocol", "MCP", "mcp", "MCP", PROTOCOL),
    _row("arize", "observability", "Arize", "arize", "Arize", BRIDGE),
    _row("braintrust", "observability", "Braintrust", "braintrust", "Braintrust", BRIDGE),
    _row("openinference", "observability", "OpenInference", "openinference", "OpenInference", BRIDGE),
    _row(
        "langfuse",
        "observability",
        "Langfuse",
        "langfuse",
        "Langfuse",
        BRIDGE,
        module="respan_instrumentation_langfuse.instrumentor",
    ),
    _row("chroma", "vector_db", "Chroma", "chromadb", "Chroma", VECTORS),
)


def is_automatic(row: dict[str, Any]) -> bool:
    return row["category"] == _LLM and row["enabled_by_default"] is True
