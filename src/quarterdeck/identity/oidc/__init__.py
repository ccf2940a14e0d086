"""Signing in with OpenID Connect: providers, the code flow with PKCE, who is let in with which roles, and being told of
sign-outs (OpenID Connect Core 1.0, Discovery 1.0, Back-Channel Logout 1.0).
"""
