"""The sampler against transformers' logits processors, and its token against noise that is worked out here: Philox,
SHA-256 key, uniform numbers and Gumbel noise as core/generate/sampler.h and sampling/gumbel.h define them.

transformers computes probabilities in float32, so a row whose removal hangs on the last digits of a sum (cumulative
mass within 1e-6 of 1 - top_p, probability within 1e-6 of min_p's limit) may go either way: such rows are counted.
Which of several equal scores top-p removes is left to torch.sort, which is not stable unless told; here it is told.
"""
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import (LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor,
                          TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

DRIVER = Path(os.environ["SPD_BIN"]) / "sampler_driver"
CASES = 4000
WHOLE_VOCABULARIES = 40
TIE = 1e-6


class Case:
    def __init__(self, random, vocabulary):
        self.logits = random.normal(0, 10 ** random.uniform(-1, 1), vocabulary).astype(np.float32)
        kind = random.integers(5)
        if kind == 1:
            self.logits = np.round(self.logits * 2) / 2  # ties
        if kind == 2:
            self.logits[random.random(vocabulary) < 0.3] = -np.inf
            self.logits[random.integers(vocabulary)] = 1.5
        if kind == 3:
            self.logits[random.integers(vocabulary, size=3)] = random.choice([-1e4, 1e4, -3e37, 88.0], 3)
        self.context = random.integers(0, vocabulary, random.integers(1, 60)).astype(np.int32)
        self.greedy = random.random() < 0.1
        self.penalty = random.uniform(0.6, 2) if random.random() < 0.5 else 1.0
        self.temperature = 10 ** random.uniform(-0.5, 0.7) if random.random() < 0.5 else 1.0
        self.top_k = int(random.integers(1, min(vocabulary, 200) + 3)) if random.random() < 0.4 else 0
        self.top_p = float(random.choice([random.uniform(), 0.8, 0.9, 0.95])) if random.random() < 0.4 else 1.0
        self.min_p = float(10 ** random.uniform(-4, 0)) if random.random() < 0.4 else 0.0
        self.seed, self.prompt_id = int(random.integers(2**62)), int(random.integers(-1000, 10**12))
        self.token_index = int(random.integers(2**40))
        self.allowed = (random.random(vocabulary) < 0.8).astype(np.uint8) if random.random() < 0.3 else np.empty(0, np.uint8)
        if self.allowed.size and not (np.isfinite(self.logits) & (self.allowed > 0)).any():
            self.allowed = np.empty(0, np.uint8)

    def bytes(self):
        integers = [self.logits.size, self.context.size, self.greedy, self.top_k, self.seed, self.prompt_id,
                    self.token_index, self.allowed.size]
        numbers = [self.penalty, self.temperature, self.top_p, self.min_p]
        return b"".join(part.tobytes() for part in (np.array(integers, np.int64), np.array(numbers, np.float64),
                                                    self.logits, self.context, self.allowed))

    def reference(self):
        """Scores before top-p, before min-p and in the end."""
        scores = torch.from_numpy(self.logits.copy())[None]
        if self.allowed.size:
            scores[0, torch.from_numpy(self.allowed) == 0] = float("-inf")
        ids = torch.from_numpy(self.context.astype(np.int64))[None]
        stages = [LogitsProcessorList(), LogitsProcessorList(), LogitsProcessorList()]
        if self.penalty != 1:
            stages[0].append(RepetitionPenaltyLogitsProcessor(self.penalty))
        if not self.greedy:
            if self.temperature != 1:
                stages[0].append(TemperatureLogitsWarper(self.temperature))
            if self.top_k:
                stages[0].append(TopKLogitsWarper(self.top_k))
            if self.top_p < 1:
                stages[1].append(TopPLogitsWarper(self.top_p))
            if self.min_p > 0:
                stages[2].append(MinPLogitsWarper(self.min_p))
        results = []
        for stage in stages:
            scores = stage(ids, scores)
            results.append(scores[0].numpy())
        return results


def softmax(scores):
    exponentials = np.exp(scores.astype(np.float64) - scores.max())
    return exponentials / exponentials.sum()


def is_tie(case, row, stages):
    """Whether transformers' removal of the row hangs on float32's last digits."""
    before_top_p, before_min_p, _ = stages
    if case.top_p < 1:
        probabilities = softmax(before_top_p)
        order = np.argsort(before_top_p, kind="stable")
        mass = np.cumsum(probabilities[order])
        if abs(mass[np.flatnonzero(order == row)[0]] - (1 - case.top_p)) < TIE:
            return True
    if case.min_p > 0:
        probabilities = softmax(before_min_p)
        return abs(probabilities[row] / probabilities.max() / case.min_p - 1) < TIE
    return False


def philox(key, counters):
    """Philox4x32-10 of counters [n, 4] -> [n, 4]."""
    mask = np.uint64(0xFFFFFFFF)
    c = [counters[:, i].astype(np.uint64) for i in range(4)]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & mask, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, 1)


def gumbel(case):
    text = f"spd sampling noise 1\n{case.seed}\ni:{case.prompt_id}"
    key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    vocabulary = case.logits.size
    words = []
    for plane in (0, 1):
        counters = np.zeros(((vocabulary + 3) // 4, 4), np.uint64)
        counters[:, 0], counters[:, 1] = case.token_index & 0xFFFFFFFF, case.token_index >> 32
        counters[:, 2], counters[:, 3] = plane, np.arange(len(counters))
        words.append(philox(key, counters).reshape(-1)[:vocabulary])
    high, low = words
    # 1 - u, exact where u is next to 1
    rest = ((~high & np.uint64(0xFFFFFFFF)).astype(np.longdouble) * 2**32
            + (~low & np.uint64(0xFFFFFFFF)).astype(np.longdouble) + np.longdouble(0.5)) / np.longdouble(2) ** 64
    return -np.log(-np.log1p(-rest))


def main():
    unstable_sort = torch.sort
    torch.sort = lambda scores, **options: unstable_sort(scores, stable=True, **options)
    random = np.random.default_rng(5)
    cases = [Case(random, int(random.choice([2, 5, 50, 257, 1000]))) for _ in range(CASES)]
    cases += [Case(random, 151_936) for _ in range(WHOLE_VOCABULARIES)]
    process = subprocess.run([DRIVER], input=b"".join(case.bytes() for case in cases), capture_output=True)
    if process.returncode != 0:
        sys.exit(f"sampler_driver failed: {process.stderr.decode()}")

    largest, ties, tokens, offset, compared = 0.0, 0, 0, 0, 0
    for number, case in enumerate(cases):
        token = int(np.frombuffer(process.stdout, np.int32, 1, offset)[0])
        scores = np.frombuffer(process.stdout, np.float32, case.logits.size, offset + 4)
        offset += 4 + 4 * case.logits.size
        stages = case.reference()
        expected = stages[-1]
        for row in np.flatnonzero(np.isneginf(scores) != np.isneginf(expected)):
            if not is_tie(case, row, stages):
                sys.exit(f"case {number} {vars(case)}: row {row} is {scores[row]}, in transformers {expected[row]}")
            ties += 1
        both = np.isfinite(scores) & np.isfinite(expected)
        difference = np.abs(scores[both].astype(np.float64) - expected[both]) / np.maximum(1, np.abs(expected[both]))
        largest = max(largest, float(difference.max(initial=0)))
        compared += int(both.sum())
        best = int(torch.from_numpy(scores.copy()).argmax()) if case.greedy else int(np.argmax(scores + gumbel(case)))
        if token != best:
            sys.exit(f"case {number}: token {token}, by the noise worked out here {best}")
        tokens += 1
    if offset != len(process.stdout):
        sys.exit("sampler_driver wrote more than it was asked")
    print(f"measured: {len(cases)} cases: largest relative difference of {compared} kept scores from transformers "
          f"{largest:.2g}, kept sets equal but for {ties} rows at a limit")
    print(f"measured: {tokens} tokens equal the argmax over noise worked out in Python")
    if largest > 1e-6:
        sys.exit("scores differ")


if __name__ == "__main__":
    main()
