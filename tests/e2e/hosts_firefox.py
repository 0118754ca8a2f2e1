"""In Firefox, what browser_page.py does in Chromium."""
import unittest

import browser_page


class Documentation(browser_page.Documentation):
    browser = "firefox"


class Trouble(browser_page.Trouble):
    browser = "firefox"


if __name__ == "__main__":
    unittest.main()
