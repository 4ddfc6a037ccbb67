"""Whatever model.generate() is called with, and wherever something fails in it: what comes of it is what comes of it untraced."""

import warnings
from importlib.metadata import version

import pytest
from both_ways import Failing, Odd, drawn_calls, errors, instrumentors
from hypothesis import given
from hypothesis import strategies as st

VOCABULARY = 300  # the model has more: these are there
places = st.sampled_from(["forward", "streamer", "end of the streamer", "criterion", "processor", "allowed", "nowhere"])
failures = st.tuples(places, errors, st.integers(1, 4))
ids = st.integers(0, VOCABULARY - 1)


@st.composite
def prompts(draw):
    """As generate() takes them: ids with or without a mask, by position or by name, embeddings, nothing."""
    rows, length = draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 5, 5, 9]))
    form = draw(
        st.sampled_from(["input_ids", "input_ids", "input_ids", "inputs", "position", "embeds", "none", "wrong"])
    )
    made = {
        "form": form,
        "ids": draw(st.lists(st.lists(ids, min_size=length, max_size=length), min_size=rows, max_size=rows)),
    }
    if draw(st.booleans()):
        padding = st.integers(0, length - 1)
        made["mask"] = [
            [0] * pad + [1] * (length - pad) for pad in draw(st.lists(padding, min_size=rows, max_size=rows))
        ]
    return made


def arguments_of(prompt, model):
    import torch

    tensor = torch.tensor(prompt["ids"])
    args, kwargs = (), {}
    form = prompt["form"]
    if form == "position":
        args = (tensor,)
    elif form == "embeds":
        kwargs["inputs_embeds"] = model.get_input_embeddings()(tensor).detach()
    elif form == "wrong":
        kwargs["input_ids"] = tensor + 10 * VOCABULARY  # no such tokens
    elif form != "none":
        kwargs[form] = tensor
    if "mask" in prompt:
        kwargs["attention_mask"] = torch.tensor(prompt["mask"])
    return args, kwargs


counts = st.sampled_from([1, 2, 2, 3])
sizes = st.sampled_from([0, 1, 2, 3, -1, 0.5, None, "2"])
fractions = st.sampled_from([0.0, 0.3, 0.9, 1.0, 1.5, -1.0, None, Odd()])
switches = st.sampled_from([True, False, None])
parameters = {
    "do_sample": st.booleans(),
    "num_beams": counts,
    "num_return_sequences": counts,
    "temperature": fractions,
    "top_p": fractions,
    "top_k": sizes,
    "typical_p": fractions,
    "min_p": fractions,
    "repetition_penalty": fractions,
    "no_repeat_ngram_size": sizes,
    "min_new_tokens": sizes,
    "max_length": st.sampled_from([1, 6, 12]),
    "eos_token_id": st.sampled_from([0, 5, [5, 6], -1, "5"]),
    "pad_token_id": st.sampled_from([0, 7, None]),
    "bad_words_ids": st.sampled_from([[[5]], [], [[1, 2], [3]]]),
    "use_cache": switches,
    "return_dict_in_generate": st.just(True),
    "output_scores": switches,
    "output_attentions": switches,
    "prompt_lookup_num_tokens": counts,
    "early_stopping": switches,
    "length_penalty": fractions,
    "max_time": st.sampled_from([100.0, 0.0]),
    "stop_strings": st.sampled_from(["a", ["e", " the"]]),
    "penalty_alpha": fractions,
    "num_beam_groups": counts,
    "guidance_scale": fractions,
    "renormalize_logits": switches,
    "no_such_parameter": sizes,
    "original": sizes,  # names that the tracing itself uses
}
if version("transformers") >= "5":
    parameters["cache_implementation"] = st.sampled_from(["dynamic", "static", "none such"])
of_calls = st.fixed_dictionaries({"max_new_tokens": st.sampled_from([1, 2, 4, 4, 0, None])}, optional=parameters)
of_configs = st.fixed_dictionaries(
    {}, optional={k: v for k, v in parameters.items() if k not in ("original", "stop_strings")}
)
beside = st.fixed_dictionaries(
    {},
    optional={
        "tokenizer": st.booleans(),
        "assistant_model": st.just("assistant"),
        "custom_generate": st.just("loop"),
        "generation_config": of_configs | st.just(None) | st.just("config"),
    },
)


class Streamer:
    def __init__(self, put, end):
        self.put_one, self.end_it, self.handed = put, end, []

    def put(self, value):
        self.handed.append(value.clone())
        self.put_one(value)

    def end(self):
        self.handed.append("end")
        self.end_it()


def own_loop(model, input_ids, **kwargs):
    return model._sample(input_ids, **kwargs)


@pytest.fixture
def assistant(generator):
    import copy

    import torch

    made = copy.deepcopy(generator.model)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        made.lm_head.weight.add_(torch.randn_like(made.lm_head.weight) * 0.01)
    made.generation_config.num_assistant_tokens_schedule = "constant"  # another call would draft more or less otherwise
    return made


def test_whatever_generate_is_called_with(both_ways, generator, assistant):
    import copy

    from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

    model, ways = (
        generator.model,
        both_ways("generation.utils", "generation.configuration_utils", "tokenization_utils_base"),
    )
    own_config = model.generation_config

    def make_given(prompt, kwargs, more, failure):
        place, error, at = failure
        failing = Failing(FAILS[place], error, at)
        args, of_prompt = arguments_of(prompt, model)
        kwargs = {**of_prompt, **kwargs}
        if more.get("tokenizer"):
            kwargs["tokenizer"] = generator.tokenizer
        if "assistant_model" in more:
            kwargs["assistant_model"] = assistant
        if "custom_generate" in more:
            kwargs["custom_generate"] = own_loop
        if "generation_config" in more:
            config = more["generation_config"]
            kwargs["generation_config"] = GenerationConfig(**config) if isinstance(config, dict) else config
        if "streamer" in place:
            nothing = FAILS["nowhere"]
            kwargs["streamer"] = Streamer(failing, nothing) if place == "streamer" else Streamer(nothing, failing)
        elif place == "criterion":
            kwargs["stopping_criteria"] = StoppingCriteriaList([failing])
        elif place == "processor":
            kwargs["logits_processor"] = LogitsProcessorList([failing])
        elif place == "allowed":
            kwargs["prefix_allowed_tokens_fn"] = failing
        model.generation_config = copy.deepcopy(own_config)
        made = {"args": args, "kwargs": kwargs, "failing": [failing], "place": place}
        return {**made, "config": model.generation_config, "tokenizer": generator.tokenizer}

    def call(given):
        hook = model.register_forward_pre_hook(given["failing"][0]) if given["place"] == "forward" else None
        try:
            return model.generate(*given["args"], **given["kwargs"])
        finally:
            model.generation_config = own_config
            if hook is not None:
                hook.remove()

    @drawn_calls
    @given(prompts(), of_calls, beside, failures, instrumentors)
    def compare(prompt, kwargs, more, failure, options):
        if ways.is_over():
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                make_given(prompt, kwargs, more, failure)
            except Exception:  # no such GenerationConfig
                return
        ways.compare(call, lambda: make_given(prompt, kwargs, more, failure), options)

    compare()
    assert ways.has_seen_enough()


def stops_a_row_in_two(input_ids, scores):
    import torch

    return torch.tensor([(input_ids.shape[1] + row) % 4 == 0 for row in range(input_ids.shape[0])])


FAILS = {
    "nowhere": lambda *args: None,
    "forward": lambda module, args: None,
    "streamer": lambda value: None,
    "end of the streamer": lambda: None,
    "criterion": stops_a_row_in_two,
    "processor": lambda input_ids, scores: scores * 0.5,
    "allowed": lambda batch, sentence: list(range(0, VOCABULARY, 2)),
}
