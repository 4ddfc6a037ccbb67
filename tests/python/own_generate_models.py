"""Models whose classes have a generate() of their own, tiny and random; each with the inputs of one call, by name."""

from typing import Any

import torch
import transformers
from tiny_models import SMALL

T5 = {"vocab_size": 50, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
PROMPT = torch.tensor([[5, 6, 7]])


def bark() -> tuple[Any, dict[str, Any]]:
    """Text to sound in three stages, of which two generate token by token."""
    part = {"block_size": 512, "num_layers": 1, "num_heads": 2, "hidden_size": 16, "bias": True}
    config = transformers.BarkConfig(
        semantic_config={**part, "input_vocab_size": 160, "output_vocab_size": 160},
        coarse_acoustics_config={**part, "input_vocab_size": 200, "output_vocab_size": 200},
        fine_acoustics_config={
            **part,
            "input_vocab_size": 40,
            "output_vocab_size": 40,
            "n_codes_total": 8,
            "n_codes_given": 1,
        },
        codec_config=codec(codebook_size=32),
        name_or_path="tiny/bark",
    )
    model = transformers.BarkModel(config)
    model.generation_config = transformers.GenerationConfig(  # with these as dicts, as from_pretrained() makes it
        semantic_config={
            "text_encoding_offset": 100,
            "text_pad_token": 150,
            "semantic_infer_token": 151,
            "semantic_vocab_size": 90,
            "semantic_pad_token": 90,
            "eos_token_id": 90,
            "max_input_semantic_length": 8,
            "max_new_tokens": 6,
        },
        coarse_acoustics_config={
            "coarse_semantic_pad_token": 160,
            "coarse_infer_token": 161,
            "max_coarse_input_length": 8,
            "max_coarse_history": 8,
            "sliding_window_len": 12,
        },
        fine_acoustics_config={"max_fine_history_length": 8, "max_fine_input_length": 16},
        codebook_size=32,
    )
    prompt = torch.tensor([[5, 6, 7, 0, 0, 0, 0, 0]])
    return model, {"input_ids": prompt, "attention_mask": (prompt != 0).long()}


def codec(**options: Any) -> Any:
    small = {"hidden_size": 16, "num_filters": 2, "upsampling_ratios": [2, 2], "num_lstm_layers": 1}
    return transformers.EncodecConfig(sampling_rate=8000, target_bandwidths=[80.0], **small, **options)


def musicgen() -> tuple[Any, dict[str, Any]]:
    """Text to music."""
    decoder = {"vocab_size": 32, "max_position_embeddings": 64, "hidden_size": 16, "ffn_dim": 16, "num_codebooks": 2}
    config = transformers.MusicgenConfig(
        text_encoder=transformers.T5Config(**T5),
        audio_encoder=codec(codebook_size=32),
        decoder={
            "model_type": "musicgen_decoder",
            **decoder,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "pad_token_id": 32,
            "bos_token_id": 32,
        },
        name_or_path="tiny/musicgen",
    )
    return transformers.MusicgenForConditionalGeneration(config), {
        "inputs": PROMPT,
        "attention_mask": torch.ones_like(PROMPT),
        "max_new_tokens": 6,
        "do_sample": True,
        "guidance_scale": 1,
    }


def dia() -> tuple[Any, dict[str, Any]]:
    """Text to speech."""
    head = {"num_hidden_layers": 1, "hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2, "head_dim": 8}
    config = transformers.DiaConfig(
        encoder_config={**head, "num_key_value_heads": 2, "vocab_size": 50, "max_position_embeddings": 64},
        decoder_config={
            **head,
            "num_key_value_heads": 2,
            "cross_num_attention_heads": 2,
            "cross_head_dim": 8,
            "cross_num_key_value_heads": 2,
            "cross_hidden_size": 16,
            "vocab_size": 40,
            "num_channels": 3,
            "max_position_embeddings": 64,
            "pad_token_id": 37,
            "eos_token_id": 36,
            "bos_token_id": 38,
        },
        delay_pattern=[0, 1, 2],
        name_or_path="tiny/dia",
    )
    return transformers.DiaForConditionalGeneration(config), {"input_ids": PROMPT, "max_new_tokens": 6}


def blip_2() -> tuple[Any, dict[str, Any]]:
    """An image and text to text."""
    image = 7
    config = transformers.Blip2Config(
        vision_config={**SMALL, "image_size": 16, "patch_size": 8, "initializer_range": 0.02},
        qformer_config={**SMALL, "vocab_size": 50, "encoder_hidden_size": 16},
        text_config=transformers.OPTConfig(
            vocab_size=50,
            hidden_size=16,
            word_embed_proj_dim=16,
            ffn_dim=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=64,
        ),
        num_query_tokens=4,
        image_text_hidden_size=16,
        image_token_index=image,
        name_or_path="tiny/blip-2",
    )
    ids = torch.tensor([[image] * 4 + [5, 6]])
    given = {"pixel_values": torch.rand(1, 3, 16, 16), "input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return transformers.Blip2ForConditionalGeneration(config), {**given, "max_new_tokens": 6, "do_sample": True}


def rag() -> tuple[Any, dict[str, Any]]:
    """A question to an answer, with documents that were found before."""
    generator = transformers.BartConfig(
        vocab_size=50,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_position_embeddings=64,
    )
    asker = transformers.DPRConfig(vocab_size=50, **SMALL, max_position_embeddings=64)
    config = transformers.RagConfig.from_question_encoder_generator_configs(
        asker, generator, n_docs=2, name_or_path="tiny/rag"
    )
    documents = torch.randint(4, 50, (2, 8))
    return transformers.RagTokenForGeneration(config), {
        "context_input_ids": documents,
        "context_attention_mask": torch.ones_like(documents),
        "doc_scores": torch.rand(1, 2),
        "n_docs": 2,
        "max_new_tokens": 6,
    }
