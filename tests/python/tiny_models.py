"""Pipelines of many tasks, each with a tiny model of its own: real classes, random weights, nothing from the hub."""

from typing import Any

MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*MARKS, "a", "the", "cat", "sat", "on", "mat", "good", "bad", "film", "is", "it", "this", "example"]
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


def seeded() -> None:
    import torch

    torch.manual_seed(0)


def bert_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=32,
    )


def bert(head: str, **config: Any) -> Any:
    """head: as ForMaskedLM, or "Model"."""
    import transformers

    seeded()
    made = transformers.BertConfig(
        vocab_size=len(WORDS), max_position_embeddings=32, **SMALL, name_or_path="tiny/bert", **config
    )
    return getattr(transformers, f"Bert{head}")(made).eval()


def bert_pipeline(task: str, head: str, **config: Any) -> Any:
    from transformers import pipeline

    return pipeline(task, model=bert(head, **config), tokenizer=bert_tokenizer(), device="cpu")


def vit_pipeline(task: str, head: str) -> Any:
    import transformers

    seeded()
    config = transformers.ViTConfig(image_size=16, patch_size=8, **SMALL, num_labels=2, name_or_path="tiny/vit")
    return transformers.pipeline(
        task,
        model=getattr(transformers, f"ViT{head}")(config).eval(),
        image_processor=transformers.ViTImageProcessor(size={"height": 16, "width": 16}),
        device="cpu",
    )


def wav2vec2_pipeline(folder: Any) -> Any:
    """Speech to text by CTC."""
    import json

    import transformers

    seeded()
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefgh"]
    (folder / "vocab.json").write_text(json.dumps({letter: index for index, letter in enumerate(letters)}))
    config = transformers.Wav2Vec2Config(
        vocab_size=len(letters),
        **SMALL,
        conv_dim=(8, 8),
        conv_stride=(4, 4),
        conv_kernel=(8, 8),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        name_or_path="tiny/wav2vec2",
    )
    return transformers.pipeline(
        "automatic-speech-recognition",
        model=transformers.Wav2Vec2ForCTC(config).eval(),
        tokenizer=transformers.Wav2Vec2CTCTokenizer(str(folder / "vocab.json")),
        feature_extractor=transformers.Wav2Vec2FeatureExtractor(sampling_rate=16000),
        device="cpu",
    )


def whisper_tokenizer() -> Any:
    import transformers
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    tokenizer = transformers.WhisperTokenizer(vocab={letter: index for index, letter in enumerate(letters)}, merges=[])
    marks = ["startoftranscript", "en", "transcribe", "notimestamps", "0.00"]
    tokenizer.add_tokens([f"<|{mark}|>" for mark in marks], special_tokens=True)
    return tokenizer


def whisper_pipeline() -> Any:
    """Speech to text by generation: six tokens of it."""
    import transformers

    seeded()
    tokenizer = whisper_tokenizer()
    end = tokenizer.eos_token_id
    config = transformers.WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=8,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_source_positions=50,
        max_target_positions=32,
        decoder_start_token_id=tokenizer.convert_tokens_to_ids("<|startoftranscript|>"),
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        name_or_path="tiny/whisper",
    )
    model = transformers.WhisperForConditionalGeneration(config).eval()
    model.generation_config.max_new_tokens = 6
    model.generation_config.min_new_tokens = 6
    return transformers.pipeline(
        "automatic-speech-recognition",
        model=model,
        tokenizer=tokenizer,
        feature_extractor=transformers.WhisperFeatureExtractor(feature_size=8, chunk_length=1, sampling_rate=16000),
        device="cpu",
    )


def vits_pipeline(folder: Any) -> Any:
    """Text to speech."""
    import json

    import transformers

    seeded()
    letters = ["_", " ", *"abcdefghijklmnopqrstuvwxyz"]
    (folder / "vits.json").write_text(json.dumps({letter: index for index, letter in enumerate(letters)}))
    config = transformers.VitsConfig(
        vocab_size=len(letters),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        flow_size=16,
        spectrogram_bins=9,
        upsample_initial_channel=16,
        upsample_rates=[4, 4],
        upsample_kernel_sizes=[8, 8],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1]],
        prior_encoder_num_flows=1,
        prior_encoder_num_wavenet_layers=1,
        posterior_encoder_num_wavenet_layers=1,
        depth_separable_num_layers=1,
        duration_predictor_flow_bins=4,
        duration_predictor_num_flows=2,
        sampling_rate=8000,
        name_or_path="tiny/vits",
    )
    return transformers.pipeline(
        "text-to-audio",
        model=transformers.VitsModel(config).eval(),
        tokenizer=transformers.VitsTokenizer(str(folder / "vits.json"), phonemize=False, normalize=False),
        device="cpu",
    )


def llava_pipeline(tokenizer: Any) -> Any:
    """Images and text to text."""
    import transformers

    seeded()
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.role }}: {% for p in m.content %}"
        "{{ '<image>' if p.type == 'image' else p.text }}{% endfor %}\n{% endfor %}"
    )
    end = tokenizer.eos_token_id
    vision = transformers.CLIPVisionConfig(image_size=16, patch_size=8, **SMALL)
    text = transformers.LlamaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=256, **SMALL, bos_token_id=end, eos_token_id=end
    )
    image_token = tokenizer.convert_tokens_to_ids("<image>")
    config = transformers.LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=image_token, name_or_path="tiny/llava"
    )
    processor = transformers.LlavaProcessor(
        image_processor=transformers.CLIPImageProcessor(
            size={"height": 16, "width": 16}, crop_size={"height": 16, "width": 16}
        ),
        tokenizer=tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        chat_template=tokenizer.chat_template,
        num_additional_image_tokens=1,
    )
    model = transformers.LlavaForConditionalGeneration(config).eval()
    return transformers.pipeline("image-text-to-text", model=model, processor=processor, device="cpu")
