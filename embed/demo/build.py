"""Build the demo shop's pages from its templates: `python embed/demo/build.py [--check]`."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

SHOP = Path(__file__).parent


@dataclass(frozen=True)
class Product:
    """One thing on sale; its slug also names its drawing in art.svg."""

    slug: str
    collection: str
    name: str
    cents: int
    line: str
    story: str
    facts: tuple[tuple[str, str], ...]
    goes_with: str

    @property
    def path(self) -> str:
        return f"/demo/products/{self.slug}"


@dataclass(frozen=True)
class Collection:
    slug: str
    name: str
    lead: str

    @property
    def path(self) -> str:
        return f"/demo/collections/{self.slug}"


@dataclass(frozen=True)
class Chapter:
    """One page of the guide; `art` names its drawing in art.svg."""

    slug: str
    name: str
    lead: str
    paragraphs: tuple[str, ...]
    art: str

    @property
    def path(self) -> str:
        return f"/demo/guide/{self.slug}"


@dataclass(frozen=True)
class CheckoutStep:
    slug: str
    name: str

    @property
    def path(self) -> str:
        return f"/demo/checkout/{self.slug}"


COLLECTIONS = (
    Collection("tea", "Tea", "Three leaves for three parts of the day, in 100 g bags."),
    Collection("cups", "Cups", "Three shapes in white porcelain, painted with a cobalt brush."),
)

PRODUCTS = (
    Product(
        "hillside-green",
        "tea",
        "Hillside Green",
        950,
        "Steamed spring leaf, grassy and sweet.",
        "Picked in the second week of April and steamed the same afternoon. It tastes of cut "
        "grass and young peas, and forgives water that is a little too hot.",
        (("Leaf", "Flat needles"), ("Water", "75 °C"), ("Time", "2 minutes"), ("Weight", "100 g")),
        "reed-cup",
    ),
    Product(
        "amber-oolong",
        "tea",
        "Amber Oolong",
        1200,
        "Half oxidised, long roasted, honeyed.",
        "Rolled into small pearls that open slowly. The first cup is all roasted nut, the third "
        "is honey; there is usually a fourth.",
        (("Leaf", "Pearls"), ("Water", "90 °C"), ("Time", "3 minutes"), ("Weight", "100 g")),
        "wave-cup",
    ),
    Product(
        "night-train",
        "tea",
        "Night Train",
        800,
        "A black tea that stands up to milk.",
        "Two strong black leaves, blended for early mornings and late arrivals. Malt first, then "
        "a little cocoa. Take it with milk if you like; it was made for that.",
        (
            ("Leaf", "Broken black"),
            ("Water", "100 °C"),
            ("Time", "4 minutes"),
            ("Weight", "100 g"),
        ),
        "moon-bowl",
    ),
    Product(
        "reed-cup",
        "cups",
        "Reed Cup",
        2400,
        "Tall reeds, one brush stroke each.",
        "A cup for the hand rather than the saucer: a narrow foot, a thin rim, and seven reeds "
        "around it. No two brush strokes come out alike.",
        (("Holds", "180 ml"), ("Height", "8 cm"), ("Glaze", "Clear"), ("Wash", "By hand")),
        "hillside-green",
    ),
    Product(
        "wave-cup",
        "cups",
        "Wave Cup",
        2600,
        "Five rows of waves, running to the foot.",
        "The old wave pattern, drawn a little too quickly, which is how it ought to be drawn. "
        "Heavy enough to keep oolong warm through a second page.",
        (("Holds", "200 ml"), ("Height", "8 cm"), ("Glaze", "Clear"), ("Wash", "Dishwasher")),
        "amber-oolong",
    ),
    Product(
        "moon-bowl",
        "cups",
        "Moon Bowl",
        3200,
        "A wide bowl with a moon on one side.",
        "Wide, open and held in two hands. Turn it and the moon sets; the other side is left "
        "quite plain.",
        (("Holds", "350 ml"), ("Height", "7 cm"), ("Glaze", "Clear"), ("Wash", "By hand")),
        "night-train",
    ),
)

CHAPTERS = (
    Chapter(
        "water",
        "Water",
        "Most bad tea is good tea in water that was too hot.",
        (
            "Boil it once, fresh from the tap, and then let it wait. Three minutes with the lid "
            "off brings a full kettle down to about 85 °C, five minutes to 75 °C.",
            "Green leaf likes 75 °C, oolong 90 °C, and black tea wants it straight off the boil.",
            "If your water leaves a white ring in the kettle, filter it. Hard water makes every "
            "tea taste of the same thing.",
        ),
        "kettle",
    ),
    Chapter(
        "leaf",
        "Leaf",
        "Weigh it once, then trust your eye.",
        (
            "Three grams for a cup is where to begin: a heaped teaspoon of needles, half a "
            "teaspoon of pearls. Pearls look like too little until they open.",
            "Give the leaf room. A closed ball steeps only on the outside; a wide pot or a bowl "
            "does better.",
            "Keep the rest in the dark, away from coffee and spices. Tea takes on the smell of "
            "whatever lives beside it.",
        ),
        "hillside-green",
    ),
    Chapter(
        "time",
        "Time",
        "Taste it early. You can wait longer, never shorter.",
        (
            "Two minutes for green, three for oolong, four for black. Taste at half of that, and "
            "pour when you like it.",
            "Pour it all out. Leaf that stays in the water goes on steeping, and the second cup "
            "turns bitter while you drink the first.",
            "Then begin again with the same leaf and one more minute. Good oolong gives four "
            "rounds.",
        ),
        "timer",
    ),
)

STEPS = (
    CheckoutStep("information", "Information"),
    CheckoutStep("shipping", "Shipping"),
    CheckoutStep("payment", "Payment"),
)


def main() -> str | None:
    """Write every page; with --check only compare, and return what differs from the files."""
    pages = {SHOP / name: html for name, html in build_pages()}
    if "--check" in sys.argv[1:]:
        stale = [path for path, html in pages.items() if not is_current(path, html)]
        stale += [path for path in SHOP.rglob("*.html") if path not in pages]
        names = ", ".join(sorted(str(path.relative_to(SHOP)) for path in stale))
        return f"Not what the templates make: {names}. Run embed/demo/build.py." if stale else None
    for path, html in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(html, encoding="utf-8")
    return None


def build_pages() -> Iterator[tuple[str, str]]:
    """Yield each page's file name, relative to this folder, and its HTML."""
    templates = Environment(
        loader=FileSystemLoader(SHOP / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["price"] = price
    templates.globals.update(
        collections=COLLECTIONS,
        products=PRODUCTS,
        product_named={product.slug: product for product in PRODUCTS},
        chapters=CHAPTERS,
        steps=STEPS,
    )

    def page(name: str, template: str, **values: object) -> tuple[str, str]:
        path = "/demo/" + name.removesuffix(".html").removesuffix("index").rstrip("/")
        return name, templates.get_template(f"{template}.jinja").render(path=path, **values)

    yield page("index.html", "home")
    for collection in COLLECTIONS:
        yield page(f"collections/{collection.slug}.html", "collection", collection=collection)
    for product in PRODUCTS:
        yield page(f"products/{product.slug}.html", "product", product=product)
    yield page("search.html", "search")
    yield page("cart.html", "cart")
    for number, step in enumerate(STEPS):
        yield page(f"checkout/{step.slug}.html", "checkout", step=step, number=number)
    yield page("checkout/thank-you.html", "thank_you")
    yield page("guide/index.html", "guide", number=-1)
    for number, chapter in enumerate(CHAPTERS):
        yield page(f"guide/{chapter.slug}.html", "guide", number=number)
    yield page("404.html", "not_found")


def price(cents: int) -> str:
    """Return a price as the shop writes it; demo.js must write it the same way."""
    return f"€{cents / 100:.2f}"


def is_current(path: Path, html: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == html


if __name__ == "__main__":
    sys.exit(main())
