"""Who asks, and what they may: accounts, sessions, logins, roles. FastAPI-Users stays inside this folder."""
