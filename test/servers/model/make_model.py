"""Writes a 0.5 MB GGUF model of random weights: 2 layers, 64 dimensions, byte-level BPE vocabulary.

It says nonsense, one token at a time, which is all that a test of streaming needs.
Usage: python make_model.py tiny.gguf      (needs gguf and numpy)
"""

import sys

import gguf
import numpy as np

DIMENSIONS, LAYERS, HEADS, FEED_FORWARD, CONTEXT = 64, 2, 4, 128, 4096
WORDS = "the of to and in is agent token stream model plan tool result answer data user step run time next done".split()
SPECIAL = ["<|bos|>", "<|eos|>", "<|im_start|>", "<|im_end|>"]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_tokens():
    """GPT-2's printable stand-in for each of the 256 bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {byte: chr(byte) for byte in printable}
    others = [byte for byte in range(256) if byte not in table]
    table.update({byte: chr(256 + n) for n, byte in enumerate(others)})
    return [table[byte] for byte in range(256)]


def vocabulary():
    """Tokens and merges: every byte, and each word above built up letter by letter."""
    tokens, merges = byte_tokens(), []
    known = set(tokens)
    for word in WORDS:
        current, *rest = "Ġ" + word
        for letter in rest:
            longer = current + letter
            if longer not in known:
                merges.append(f"{current} {letter}")
                tokens.append(longer)
                known.add(longer)
            current = longer
    return tokens, merges


def main(path):
    tokens, merges = vocabulary()
    first_special = len(tokens)
    types = [gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.CONTROL] * len(SPECIAL)
    tokens = tokens + SPECIAL

    model = gguf.GGUFWriter(path, "llama")
    model.add_name("tiny-random")
    model.add_context_length(CONTEXT)
    model.add_embedding_length(DIMENSIONS)
    model.add_block_count(LAYERS)
    model.add_feed_forward_length(FEED_FORWARD)
    model.add_head_count(HEADS)
    model.add_head_count_kv(HEADS)
    model.add_layer_norm_rms_eps(1e-5)
    model.add_rope_dimension_count(DIMENSIONS // HEADS)
    model.add_vocab_size(len(tokens))
    model.add_file_type(0)
    model.add_tokenizer_model("gpt2")
    model.add_tokenizer_pre("gpt-2")
    model.add_token_list(tokens)
    model.add_token_types(types)
    model.add_token_merges(merges)
    model.add_bos_token_id(first_special)
    model.add_eos_token_id(first_special + SPECIAL.index("<|im_end|>"))
    model.add_add_bos_token(True)
    model.add_chat_template(CHAT_TEMPLATE)

    random = np.random.default_rng(7)

    def weights(*shape):
        return (random.standard_normal(shape) * 0.2).astype(np.float32)

    ones = np.ones(DIMENSIONS, np.float32)
    model.add_tensor("token_embd.weight", weights(len(tokens), DIMENSIONS))
    model.add_tensor("output_norm.weight", ones)
    output = weights(len(tokens), DIMENSIONS)
    output[:256] *= 0.05  # words rather than bytes: what it says stays readable
    model.add_tensor("output.weight", output)
    for layer in range(LAYERS):
        prefix = f"blk.{layer}."
        model.add_tensor(prefix + "attn_norm.weight", ones)
        model.add_tensor(prefix + "ffn_norm.weight", ones)
        for name in "qkv":
            model.add_tensor(f"{prefix}attn_{name}.weight", weights(DIMENSIONS, DIMENSIONS))
        model.add_tensor(prefix + "attn_output.weight", weights(DIMENSIONS, DIMENSIONS))
        model.add_tensor(prefix + "ffn_gate.weight", weights(FEED_FORWARD, DIMENSIONS))
        model.add_tensor(prefix + "ffn_up.weight", weights(FEED_FORWARD, DIMENSIONS))
        model.add_tensor(prefix + "ffn_down.weight", weights(DIMENSIONS, FEED_FORWARD))

    model.write_header_to_file()
    model.write_kv_data_to_file()
    model.write_tensors_to_file()
    model.close()


if __name__ == "__main__":
    main(sys.argv[1])
