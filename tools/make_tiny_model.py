#!/usr/bin/env python3
"""Puts a tiny GPT-2 (random weights, a real BPE tokenizer) into a Hugging Face cache as sshleifer/tiny-gpt2.

usage: make_tiny_model.py HF_HOME

For machines that cannot reach the hub: with HF_HOME set to that folder and HF_HUB_OFFLINE=1,
`pipeline("text-generation", model="sshleifer/tiny-gpt2")` finds it as if it had been downloaded. The tokenizer is
trained on tools/tiny_model_text.txt; weights come from a fixed seed, so every machine makes the same model.
Does nothing if it is there already. Prints one line to say what it did.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

MODEL = "sshleifer/tiny-gpt2"
REVISION = "0" * 39 + "1"  # a cache wants a commit hash; this one says that it is not the hub's
TEXT = Path(__file__).with_name("tiny_model_text.txt")
VOCABULARY = 1000


def build(folder: Path) -> None:
    """Writes tokenizer and weights into `folder`, in the files that from_pretrained() looks for."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    bpe = ByteLevelBPETokenizer()
    bpe.train(
        [str(TEXT)], vocab_size=VOCABULARY, min_frequency=2, special_tokens=["<|endoftext|>"], show_progress=False
    )
    bpe.save(str(folder / "tokenizer.json"))
    tokenizer = GPT2TokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        model_max_length=1024,
    )
    tokenizer.save_pretrained(folder)

    torch.manual_seed(0)
    end_of_text = tokenizer.eos_token_id
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=1024,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=end_of_text,
        eos_token_id=end_of_text,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    cached = Path(sys.argv[1]).resolve() / "hub" / ("models--" + MODEL.replace("/", "--"))
    snapshot = cached / "snapshots" / REVISION
    if snapshot.is_dir() and (cached / "refs" / "main").is_file():
        print(f"Using the tiny GPT-2 (random weights) as {MODEL} in {cached.parent.parent}.")
        return 0
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=cached))
    try:
        build(work)
        if not snapshot.exists():  # another process may have been quicker
            work.rename(snapshot)
            snapshot.chmod(0o755)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    (cached / "refs").mkdir(exist_ok=True)
    (cached / "refs" / "main").write_text(REVISION)
    print(f"Made a tiny GPT-2 (random weights) as {MODEL} in {cached.parent.parent}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
