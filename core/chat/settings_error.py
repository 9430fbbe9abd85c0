"""What is wrong with a template or a rule."""


class ChatSettingsError(ValueError):
    """A template or a rule that cannot be used; the text names the value and the cure."""
