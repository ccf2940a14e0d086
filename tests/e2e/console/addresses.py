"""Every page of the console, by an address that shows it."""

from __future__ import annotations

from console.portside import BASE

PAGES = {
    "home": "/console/",
    "projects": "/console/projects",
    "new": "/console/projects/new",
    "new-found": "/console/projects/new?kind=git&locator=https://git.example/shop.git",
    "new-refused": "/console/projects/new?kind=git&locator=https://nowhere.example/",
    "project": "/console/projects/storefront",
    "environment": "/console/projects/storefront/production",
    "resource": BASE,
    "deployments": f"{BASE}/deployments",
    "deployment-running": f"{BASE}/deployments/42",
    "deployment-ended": f"{BASE}/deployments/40",
    "deployment-failed": f"{BASE}/deployments/38",
    "rollback": f"{BASE}/deployments/40/rollback",
    "rollback-blocked": f"{BASE}/deployments/39/rollback",
    "cancel": f"{BASE}/deployments/42/cancel",
    "logs": f"{BASE}/logs",
    "variables": f"{BASE}/variables",
    "remove-variable": f"{BASE}/variables/remove?key=CACHE_TTL&exposure=runtime",
    "settings": f"{BASE}/settings",
    "stop": f"{BASE}/control/stop",
    "delete": f"{BASE}/delete",
    "delete-project": "/console/projects/storefront/-/delete",
    "fleet": "/console/fleet",
    "jobs": "/console/jobs",
    "job": "/console/jobs/9f2c1ab0",
    "audit": "/console/audit",
    "backups": "/console/backups",
    "me": "/console/me",
    "search": "/console/search?q=web",
    "nothing": "/console/projects/atlantis",
    "refused": "/console/projects/storefront/production/secret",
}
