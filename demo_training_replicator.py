"""The Training Replicator in one minute: profile a table, keep the model, make new rows, compare.

Run from a checkout: python demo_training_replicator.py
"""

import tempfile

import numpy as np
import pandas as pd

from app.training_replicator import DataProfiler, ModelSerializer, SyntheticGenerator


def customers(rows: int) -> pd.DataFrame:
    """Invented customers."""
    rng = np.random.default_rng(7)
    age = np.clip(rng.normal(36, 11, rows), 18, 100).round().astype(int)
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, rows + 1),
            "age": age,
            "salary": (42_000 + 650 * age + rng.normal(0, 9_000, rows)).round(2),
            "city": rng.choice(["NYC", "LA", "Chicago", "Boston"], rows, p=[0.22, 0.18, 0.32, 0.28]),
            "email": [f"user{k}@example.com" for k in range(1, rows + 1)],
            "signup_date": pd.date_range("2023-01-01", periods=rows),
        }
    )


def show(title: str, data: object) -> None:
    print(f"\n{title}\n{'-' * len(title)}\n{data}")


def main() -> None:
    source = customers(50)
    show("Source (50 rows)", source.head().to_string(index=False))
    profile = DataProfiler(source).profile()
    types = [f"{c['name']}: {c['type']}" for c in profile["columns"]]
    show("Profile", "\n".join(types))
    with tempfile.TemporaryDirectory() as folder:
        path = ModelSerializer(output_dir=folder).serialize(profile, "customer_model")
        model = ModelSerializer.load(path)
        show("Model", path.rpartition("/")[2])
    synthetic = SyntheticGenerator(model, seed=42).generate(10_000)
    show("Synthetic (first of 10,000 rows)", synthetic.head().to_string(index=False))
    kept = [f"mean {name}: {source[name].mean():,.2f} -> {synthetic[name].mean():,.2f}" for name in ("age", "salary")]
    pairs = [frame["age"].corr(frame["salary"]) for frame in (source, synthetic)]
    kept.append(f"correlation of age and salary: {pairs[0]:.2f} -> {pairs[1]:.2f}")
    for city, share in source["city"].value_counts(normalize=True).items():
        kept.append(f"{city}: {share:.0%} -> {(synthetic['city'] == city).mean():.1%}")
    show("Statistics preserved", "\n".join(kept))


if __name__ == "__main__":
    main()
