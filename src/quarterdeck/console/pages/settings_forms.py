"""The settings of a resource as forms: one for each profile that the contract configures apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quarterdeck.console import commands
from quarterdeck.console.desk import Desk
from quarterdeck.console.views.resources import ResourceHead, Settings
from quarterdeck.console.views.shell import Command, Field
from quarterdeck.kernel.errors import Problem


@dataclass(frozen=True, slots=True)
class Form:
    """`template` is its fields with nothing in them."""

    name: str
    title: str
    text: str
    template: tuple[Field, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.template)


@dataclass(frozen=True, slots=True)
class FilledForm:
    name: str
    title: str
    text: str
    fields: tuple[Field, ...]
    command: Command


Choices = Mapping[str, tuple[tuple[str, str], ...]]
_NUMBER = {"inputmode": "numeric", "pattern": "[0-9]*"}
_KINDS = tuple(
    (kind, label)
    for kind, label in (
        ("remote-git", "Git repository"),
        ("git-deploy-key", "Git repository with a deploy key"),
        ("local-git", "Git repository on this host"),
        ("local-folder", "Folder on this host"),
        ("zip-artifact", "ZIP file"),
        ("docker-image", "Container image"),
        ("dockerfile-inline", "Dockerfile, kept here"),
    )
)
FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form(
            "source",
            "Source",
            "Where it is fetched from.",
            (
                Field("kind", "Kind", kind="select", choices=_KINDS, required=True),
                Field("locator", "Where it is", required=True),
                Field("gitRef", "Branch, tag or commit", hint="The default branch if left empty."),
                Field("baseDirectory", "Directory inside it"),
                Field(
                    "sshCredentialId",
                    "Deploy key",
                    kind="select",
                    hint="For a repository with a deploy key alone. Keys are stored under Fleet, SSH keys.",
                ),
                Field(
                    "buildServerId",
                    "Images are built on",
                    kind="select",
                    hint="Another server with the same architecture. They are moved by their digest.",
                ),
            ),
        ),
        Form(
            "runtime",
            "Build and start",
            "What is found out is used where nothing is said.",
            (
                Field(
                    "strategy",
                    "How it is built",
                    kind="select",
                    required=True,
                    choices=(
                        ("auto", "Find out"),
                        ("dockerfile", "Its own Dockerfile"),
                        ("docker-compose", "Its Compose file"),
                        ("workspace-commands", "The commands below"),
                        ("static", "Static files"),
                        ("prebuilt-image", "The image as it is"),
                    ),
                ),
                Field("installCommand", "Install command"),
                Field("buildCommand", "Build command"),
                Field("startCommand", "Start command"),
                Field("publishDirectory", "Directory to publish", hint="Needed for static files."),
                Field("dockerfilePath", "Path of the Dockerfile"),
                Field("dockerComposeFilePath", "Path of the Compose file"),
            ),
        ),
        Form(
            "network",
            "Network",
            "How it is reached.",
            (
                Field("internalPort", "Port it listens on", required=True, attributes=_NUMBER),
                Field(
                    "upstreamProtocol",
                    "Speaks",
                    kind="select",
                    required=True,
                    choices=(("http", "HTTP"), ("tcp", "TCP")),
                ),
                Field(
                    "exposureMode",
                    "Reached",
                    kind="select",
                    required=True,
                    choices=(
                        ("reverse-proxy", "Through the edge"),
                        ("direct-port", "On a port of the host"),
                        ("none", "Not from outside"),
                    ),
                ),
                Field("targetServiceName", "Service that receives requests", hint="Only for a Compose file."),
                Field("hostPort", "Port of the host", attributes=_NUMBER, hint="Only for a port of the host."),
            ),
        ),
        Form(
            "health",
            "Health",
            "A new version takes over only when this answers. As long as nothing is saved, any answer of / below 500 "
            "counts, tried for about a minute.",
            (
                Field("enabled", "Check health", kind="check"),
                Field("path", "Path", placeholder="/"),
                Field("expectedStatusCode", "Expected status", placeholder="200", attributes=_NUMBER),
                Field("retries", "Tries", placeholder="10", attributes=_NUMBER),
                Field("intervalSeconds", "Seconds between tries", placeholder="5", attributes=_NUMBER),
                Field("timeoutSeconds", "Seconds for one try", placeholder="5", attributes=_NUMBER),
                Field("startPeriodSeconds", "Seconds to start up", placeholder="5", attributes=_NUMBER),
            ),
        ),
        Form(
            "access",
            "Access",
            "The address that is made for it.",
            (
                Field(
                    "generatedAccessMode",
                    "Generated address",
                    kind="select",
                    required=True,
                    choices=(("inherit", "As the server says"), ("disabled", "None")),
                ),
                Field("pathPrefix", "Path prefix"),
            ),
        ),
    )
}


async def deploy_keys(desk: Desk, chosen: str) -> tuple[tuple[str, str], ...]:
    """Stored SSH keys by name, as choices; `chosen` is among them even where it is gone or may not be seen."""
    known = await desk.ports.credentials(desk.who) if desk.viewer.may("deploy:credentials.list-ssh") else ()
    choices = (("", "None"), *((one.ref, one.name) for one in known))
    return choices if chosen in dict(choices) else (*choices, (chosen, chosen))


async def build_servers(desk: Desk, chosen: str) -> tuple[tuple[str, str], ...]:
    """Where images may be built, as choices; `chosen` is among them even where it is gone or may not be seen."""
    known = await desk.ports.servers(desk.who) if desk.viewer.may("deploy:servers.list") else ()
    choices = (("", "The server that they run on"), *((one.value, one.label) for one in known))
    return choices if chosen in dict(choices) else (*choices, (chosen, chosen))


def _choices(field: Field, values: dict[str, str], choices: Choices) -> tuple[tuple[str, str], ...]:
    """The command line calls a repository public where we do not: it stays what it is."""
    if field.name in choices:
        return choices[field.name]
    if field.name == "kind" and values.get("kind") == "git-public":
        return (("git-public", "Git repository"), *field.choices[1:])
    return field.choices


def build_forms(
    head: ResourceHead,
    saved: Settings,
    posted: str,
    typed: dict[str, str],
    problem: Problem | None,
    choices: Choices,
) -> tuple[FilledForm, ...]:
    """Every form with what is saved; the posted one with what was typed, its error at its field. `choices` are those
    of fields that depend on what there is.
    """
    wrong = str(problem.details.get("field", "")) if problem else ""
    filled = []
    for form in FORMS.values():
        values = typed if form.name == posted else saved.values.get(form.name, {})
        fields = tuple(
            replace(
                one,
                value=values.get(one.name, ""),
                choices=_choices(one, values, choices),
                error=problem.message if problem and form.name == posted and wrong == one.name else "",
            )
            for one in form.template
        )
        command = commands.configure(head, form.name)
        filled.append(FilledForm(form.name, form.title, form.text, fields, command))
    return tuple(filled)
