"""BERTopic on the texts that `cargo run --example topics` wrote, as rows of the same table.

    python3 -m venv VENV
    VENV/bin/pip install scikit-learn pandas plotly tqdm pyyaml umap-learn hdbscan && VENV/bin/pip install --no-deps bertopic
    VENV/bin/python eval/topics_bertopic.py OUT BASE_URL MODEL

Sentence vectors come from the same server as Candor's, so that only what is made of them differs. Everything else is
BERTopic's default (UMAP, HDBSCAN), with UMAP's seed fixed. A text in no topic is in the topic of outliers, -1.
"""

import json
import pathlib
import sys
import time
import urllib.request

import numpy
from bertopic import BERTopic
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, v_measure_score
from umap import UMAP

LONGEST = 1000  # bytes of a text that Candor lets a model see


def embed(texts, base_url, model):
    vectors = []
    for start in range(0, len(texts), 64):
        cut = [t.encode()[:LONGEST].decode(errors="ignore") for t in texts[start : start + 64]]
        body = json.dumps({"model": model, "input": cut}).encode()
        request = urllib.request.Request(base_url + "/embeddings", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            data = sorted(json.load(answer)["data"], key=lambda d: d["index"])
        vectors += [d["embedding"] for d in data]
    return numpy.array(vectors, dtype=numpy.float32)


def main(folder, base_url, model):
    for path in sorted(pathlib.Path(folder).glob("*.jsonl")):
        rows = [json.loads(line) for line in path.open()]
        texts, gold = [r["text"] or " " for r in rows], [r["topic"] for r in rows]
        began = time.time()
        vectors = embed(texts, base_url, model)
        embedded = time.time()
        umap = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=42)
        found, _ = BERTopic(umap_model=umap).fit_transform(texts, vectors)
        done = time.time()
        scores = [f(gold, found) for f in (adjusted_rand_score, adjusted_mutual_info_score, v_measure_score)]
        outliers = sum(f == -1 for f in found) / len(found)
        cells = [path.stem.replace("_", " "), "BERTopic", len(texts), len(set(gold)), len(set(found) - {-1}), f"{outliers:.3f}"]
        cells += [f"{s:.3f}" for s in scores] + [f"{embedded - began:.1f}", f"{done - embedded:.1f}"]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
