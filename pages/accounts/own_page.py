"""Your account, as a page: the script that Streamlit runs anew each time."""

from pages.accounts.own_account import draw_own_account

draw_own_account()
