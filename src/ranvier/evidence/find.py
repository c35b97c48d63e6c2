"""What a name stands for among the products."""

from __future__ import annotations

from ranvier.evidence.nouns import Knowledge, Product


def find_product(name: str, knowledge: Knowledge) -> Product | None:
    """The product of this id, name or alias; None where knowledge/products has no such."""
    if name in knowledge.products:
        return knowledge.products[name]
    wanted = name.strip().casefold()
    for product in knowledge.products.values():
        if wanted in (product.name.casefold(), *(alias.casefold() for alias in product.aliases)):
            return product
    return None
