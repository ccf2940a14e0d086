"""Ruby, PHP and Elixir."""

from __future__ import annotations

from quarterdeck.deploy.detection.values import Found, ProgramFacts
from quarterdeck.deploy.planning.drafts.values import Draft, Where
from quarterdeck.deploy.planning.values import ToolRequirement

RUBY_DEFAULT = "3.3"
_BUILD_PACKAGES = "build-essential git libpq-dev libyaml-dev pkg-config"
_APT = (
    "if command -v apt-get >/dev/null; then apt-get update"
    f" && apt-get install --yes --no-install-recommends {_BUILD_PACKAGES} && rm -rf /var/lib/apt/lists/*; fi"
)


def ruby_draft(found: Found, where: Where) -> Draft:
    facts = found.program or ProgramFacts()
    version = found.version or RUBY_DEFAULT
    start = build = None
    environment = {"RACK_ENV": "production"}
    if found.framework == "rails":
        start = f"bundle exec rails server -b {where.address} -p {where.port}"
        environment |= {"RAILS_ENV": "production", "RAILS_LOG_TO_STDOUT": "1", "RAILS_SERVE_STATIC_FILES": "1"}
        if {"propshaft", "sprockets-rails"} & set(facts.packages):
            build = "SECRET_KEY_BASE_DUMMY=1 bundle exec rails assets:precompile"
    elif facts.entry == "config.ru":
        start = f"bundle exec rackup --host {where.address} --port {where.port}"
    elif facts.entry:
        start = f"bundle exec ruby {facts.entry} -o {where.address} -p {where.port}"
    return Draft(
        base_image=f"ruby:{version}-slim",
        setup=(_APT,),
        manifests=facts.manifests,
        install="bundle install",
        build=build,
        start=start,
        environment=environment,
        build_environment={"RAILS_ENV": "production"} if found.framework == "rails" else {},
        writable=("/usr/local/bundle",),
        host_environment={
            "BUNDLE_PATH": "vendor/bundle",
            **({"RAILS_ENV": "production"} if found.framework == "rails" else {}),
        },
        tools=(
            ToolRequirement("ruby", f"Install Ruby {version} on the server.", version),
            ToolRequirement("bundle", "Install Bundler on the server: gem install bundler."),
        ),
    )


def php_draft(found: Found, where: Where) -> Draft:
    facts = found.program or ProgramFacts()
    if found.framework == "laravel":
        start: str | None = f"php artisan serve --host={where.address} --port={where.port}"
    elif facts.entry or found.framework == "symfony":
        start = f"php -S {where.address}:{where.port} -t {facts.entry or 'public'}"
    else:
        start = None
    return Draft(
        base_image="composer:2",
        # Laravel's and Symfony's installation scripts run project code, so the manifests alone do not suffice.
        manifests=() if found.framework else facts.manifests,
        install="composer install --no-dev --no-interaction --prefer-dist --optimize-autoloader",
        start=start,
        environment={"APP_ENV": "prod" if found.framework == "symfony" else "production"},
        tools=(
            ToolRequirement("php", "Install the PHP command line on the server."),
            ToolRequirement("composer", "Install Composer on the server."),
        ),
    )


def elixir_draft(found: Found, _where: Where) -> Draft:
    facts = found.program or ProgramFacts()
    return Draft(
        base_image="elixir:1.17-slim",
        install="mix local.hex --force && mix local.rebar --force && mix deps.get --only prod",
        manifests=facts.manifests,
        build="mix release",
        start=f"_build/prod/rel/{facts.name}/bin/{facts.name} start" if facts.name else None,
        environment={"MIX_ENV": "prod", "PHX_SERVER": "true", "LANG": "C.UTF-8"},
        build_environment={"MIX_ENV": "prod"},
        host_environment={"MIX_ENV": "prod"},
        tools=(ToolRequirement("mix", "Install Elixir on the server."),),
    )
