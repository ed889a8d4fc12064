"""Writes test/text/hugging-face/chat.json: chat templates in the styles of published ones, with what transformers 5.18 makes of them.

    python scripts/hugging-face/chat_fixtures.py      # needs transformers 5.18; after vocabulary_fixtures.py
"""
import json
import os
import tempfile
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import AutoTokenizer  # noqa: E402

ROOT = Path(__file__).parents[2] / "test/text"

TEMPLATES = {
    "ChatML": """{%- for m in messages %}
{{- '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    "ChatML with a default system message": """{% if messages[0]['role'] != 'system' %}{% set loop_messages = [{'role': 'system', 'content': 'You help.'}] + messages %}{% else %}{% set loop_messages = messages %}{% endif %}
{% for message in loop_messages %}
    {% if loop.first %}{{ bos_token }}{% endif %}
    {{ '<|im_start|>' ~ message.role ~ '\n' ~ (message.content | trim) ~ '<|im_end|>\n' }}
{% endfor %}
{{ '<|im_start|>assistant\n' if add_generation_prompt else '' }}""",
    "headers": """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Today: " + date_string + "\\n\\n" + system_message + "<|eot_id|>" }}
{%- if tools is not none %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- for call in message.tool_calls %}
            {{- '{"name": "' + call.function.name + '", "parameters": ' }}
            {{- call.function.arguments | tojson }}
            {{- "}" }}
        {%- endfor %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
    "turns without a system": """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}""",
    "instructions": """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set ns = namespace(users=0) %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- set ns.users = ns.users + 1 %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {%- generation %}
        {{- " " + message["content"] + eos_token }}
        {%- endgeneration %}
    {%- else %}
        {{- raise_exception("Only user, system and assistant roles are supported!") }}
    {%- endif %}
{%- endfor %}
{{- "(" ~ ns.users ~ ")" }}""",
    "parts, macros and filters": """{%- macro text_of(content) -%}
{%- if content is string -%}{{ content }}{%- elif content is iterable -%}{%- for part in content -%}{%- if part.type == 'text' -%}{{ part.text | upper }}{%- else -%}<{{ part.type }}>{%- endif -%}{%- endfor -%}{%- endif -%}
{%- endmacro -%}
{%- for m in messages | rejectattr('role', 'equalto', 'system') -%}
{{ loop.index }}/{{ loop.length }} {{ m.role | capitalize }}: {{ text_of(m.content) | replace('a', 'A') }}{{ ' ' if not loop.last }}
{%- endfor -%}
{%- set last = messages[-1] %} {{ 'asks' if last.role in ['user', 'tool'] }} {{ messages | length }} {{ (messages | map(attribute='role') | list) | join(',') }} {{ 'yes' if undefined_name is defined else 'no' }}{{ undefined_name }} {{ last.content[:3] if last.content is string else 'parts' }} {{ 7 // 2 }} {{ 7 % 3 }} {{ '%s' | default('x') }} {{ messages[0].get('name', 'nobody') }} {{ 'u' if last.role.startswith('u') }}{% for i in range(3) %}{% if i == 1 %}{% continue %}{% endif %}[{{ i }}]{% endfor %}""",
    "tools in JSON": """{% for t in tools or [] %}{{ t | tojson }}
{% endfor %}{{ messages[0] | tojson }}{{ documents | length if documents }}{{ '<quick>' if enable_thinking is defined and enable_thinking is false }}""",
}

user, assistant, system = (lambda c, r=r: {"role": r, "content": c} for r in ("user", "assistant", "system"))
CHATS = {
    "one question": [user("What is 1 + 1?")],
    "a system message": [system("  Be brief. "), user("Hi <b>you</b> & \"them\"")],
    "several turns": [user(" a\nb "), assistant("é 🙂"), user("'quoted' {{ braces }}")],
    "two users in a row": [user("a"), user("b")],
    "parts": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "what is that?"}]}],
    "a tool call": [user("Weather?"), {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Köln", "days": [1, 2.5], "now": True, "unit": None}}}]}],
}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "The <weather> & more", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps({"model_type": "llama"}))
        Path(folder, "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer", "add_bos_token": True}))
        Path(folder, "tokenizer.model").write_bytes((ROOT / "vocabularies/llama.model").read_bytes())
        tokenizer = AutoTokenizer.from_pretrained(folder)
    for name, template in TEMPLATES.items():
        for chat, messages in CHATS.items():
            if chat == "parts" and name not in ("parts, macros and filters", "tools in JSON"):
                continue  # for a template that expects a text
            if chat == "a tool call" and name not in ("headers", "tools in JSON"):
                continue  # nor one without any content
            for more in ({}, {"add_generation_prompt": True}, {"tools": TOOLS, "documents": [{"title": "a", "text": "b"}], "enable_thinking": False}):
                try:
                    text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, **more)
                    ids = tokenizer.apply_chat_template(messages, chat_template=template, return_dict=False, **more)
                except Exception as error:  # noqa: BLE001: whatever transformers refuses
                    text, ids = None, str(error)
                rows.append({"template": name, "chat": chat, "more": more, "text": text, "ids": ids})
    out = {"templates": TEMPLATES, "chats": CHATS, "rows": rows}
    (ROOT / "hugging-face/chat.json").write_text(json.dumps(out, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
