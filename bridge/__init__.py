"""The bridge: runs in CI or on a laptop, knows git, the monorepo, the registry and GitHub."""

from agent import __version__ as __version__
