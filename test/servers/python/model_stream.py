"""The texts of a model server's stream (OpenAI-compatible), one a chunk, for subjects: read with an asynchronous client, handed on before the next is read."""

import json

import httpx


async def texts(base_url, prompt, tokens):
    body = {"model": "tiny", "stream": True, "max_tokens": tokens, "ignore_eos": True, "messages": [{"role": "user", "content": prompt}]}
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
        async with client.stream("POST", f"{base_url}/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if not line.startswith("data:") or line.endswith("[DONE]"):
                    continue
                choices = json.loads(line[5:]).get("choices") or [{}]
                text = choices[0].get("delta", {}).get("content")
                if text:
                    yield text
