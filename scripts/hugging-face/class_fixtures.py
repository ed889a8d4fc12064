"""Asks transformers' AutoTokenizer again for test/text/hugging-face/classes.json: the same tokenizer.json under many classes.

    python scripts/hugging-face/class_fixtures.py      # needs transformers 5.18 and tokenizers 0.23.2
"""
import json
import os
import tempfile
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import AutoTokenizer  # noqa: E402

PATH = Path(__file__).parents[2] / "test/text/hugging-face/classes.json"


def main():
    fixture = json.loads(PATH.read_text())
    for row in fixture["rows"]:
        contents = {"config.json": {"model_type": "gpt2"}, "tokenizer.json": fixture["files"][row["file"]], "tokenizer_config.json": {"tokenizer_class": row["class"]}}
        with tempfile.TemporaryDirectory() as folder:
            for name, content in contents.items():
                Path(folder, name).write_text(json.dumps(content))
            tokenizer = AutoTokenizer.from_pretrained(folder)
        row["ids"] = [tokenizer(text).input_ids for text in fixture["texts"]]
    PATH.write_text(json.dumps(fixture, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
