"""
Writes src/dictionaries/releases/table.ts from the list of releases in SAELens' package:

    python scripts/saelens/releases.py path/to/sae_lens/pretrained_saes.yaml 6.18.0

What is the same for many ids is written once: an id's numbers stand for "#", and a path's numbers are those of its id
("$0", "$1", ...), the same for all, or one more number of the row ("*").
"""

import json
import re
import sys
from pathlib import Path

import yaml

NUMBER = re.compile(r"\d+")


def templates(entries):
    """Ids and paths of one release, grouped: [id template, path template, rows]."""
    groups = {}
    for id_, path in entries:
        key = (NUMBER.sub("#", id_), NUMBER.sub("#", path))
        groups.setdefault(key, []).append((NUMBER.findall(id_), NUMBER.findall(path)))
    found = []
    for (id_template, path_template), rows in groups.items():
        parts, columns = [], []
        for at in range(len(rows[0][1])):
            values = [path[at] for _, path in rows]
            same = [k for k in range(len(rows[0][0])) if all(ids[k] == v for (ids, _), v in zip(rows, values))]
            if len(set(values)) == 1 and (len(rows) > 1 or not same):
                parts.append(values[0])
            elif same:
                parts.append(f"${same[0]}")
            else:
                parts.append("*")
                columns.append(values)
        pieces = path_template.split("#")
        path = "".join(a + b for a, b in zip(pieces, [*parts, ""]))
        lines = [" ".join([*ids, *(column[i] for column in columns)]) for i, (ids, _) in enumerate(rows)]
        found.append([id_template, path, ",".join(lines)])
    return found


def release(about):
    saes = [(str(sae["id"]), str(sae["path"]), sae) for sae in about["saes"]]
    made = {"repo": about["repo_id"]}
    others = [(id_, path) for id_, path, _ in saes if id_ != path]
    if others:
        made["paths"] = templates(others)
    # Llama Scope's own files say theirs.
    if about.get("conversion_func") != "llama_scope":
        scales = {id_: sae["norm_scaling_factor"] for id_, _, sae in saes if sae.get("norm_scaling_factor") is not None}
        if scales:
            made["scales"] = scales
    normalize = (about.get("config_overrides") or {}).get("normalize_activations")
    if normalize:
        made["normalizeActivations"] = normalize
    return made


def main():
    listed = yaml.safe_load(Path(sys.argv[1]).read_text())
    rows = [f"  {json.dumps(name)}: {json.dumps(release(about))}," for name, about in sorted(listed.items())]
    text = f"""/**
 * Made by scripts/saelens/releases.py from the list in SAELens {sys.argv[2]}; not written by hand. `names.ts` says what it means.
 */
import type {{ Release }} from "./names.ts";

// biome-ignore format: a release a line
export const RELEASES: Readonly<Record<string, Release>> = {{
{chr(10).join(rows)}
}};
"""
    Path(__file__).parents[2].joinpath("src/dictionaries/releases/table.ts").write_text(text)


main()
