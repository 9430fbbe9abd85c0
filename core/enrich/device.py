"""The phone model in an Android user agent: the maker's free text, which may look like a bot's name."""

import re

# What Chrome says for every model since its user-agent reduction.
_NO_MODEL = "K"
# Only a name in the model's place: "compatible; ...", "bot/2.1", an address or a link is how a
# machine names itself, so a user agent with one of those there stays as it is.
_MODEL = re.compile(
    r"(?P<system>^Mozilla/5\.0 \((?:Linux; )?(?:(?:U|arm_64|arm); )?Android \d[\d.]*; "
    r"(?:[a-z]{2}(?:[-_][A-Za-z]{2,4})?; )?(?:HarmonyOS; )?)"
    r"(?P<model>(?!compatible)[^;:/@+()]{1,60}(?:\([^;:/@+()]{0,20}\))?)"
    r"(?P<rest>(?: Build/[^;()]{0,60})?(?:; HMSCore [\d.]+)?(?:; wv)?\) AppleWebKit/)"
)


def hide_model(user_agent: str) -> str:
    """The user agent with "K" for the phone's model: "Bot 5" or "SpiderX" may be a person's."""
    return _MODEL.sub(rf"\g<system>{_NO_MODEL}\g<rest>", user_agent, count=1)
