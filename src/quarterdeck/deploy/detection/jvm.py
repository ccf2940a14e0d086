"""Java projects built by Maven or Gradle."""

from __future__ import annotations

import re

from quarterdeck.deploy.detection.manifests import Manifests
from quarterdeck.deploy.detection.values import Evidence, Found, Issue, JavaFacts
from quarterdeck.deploy.detection.versions import java_version

_FRAMEWORKS = (("org.springframework.boot", "spring-boot"), ("io.quarkus", "quarkus"), ("io.micronaut", "micronaut"))


def detect_java(manifests: Manifests) -> Found | None:
    maven = manifests.first("pom.xml", "mvnw")
    gradle = manifests.first("build.gradle", "build.gradle.kts", "gradlew")
    jar = next(
        iter(manifests.matching(r"(?:(?:target|build/libs|dist)/)?(?!.*(?:-sources|-javadoc|-plain)\.jar)[^/]+\.jar")),
        None,
    )
    if not maven and not gradle and not jar:
        return None
    build_file = manifests.first("pom.xml") if maven else manifests.first("build.gradle", "build.gradle.kts")
    text = (manifests.text(build_file) or "") if build_file else ""
    framework = next((label for marker, label in _FRAMEWORKS if marker in text), None)
    tool = None if not maven and not gradle else ("maven" if maven else "gradle")
    issues = _issues(maven, gradle, build_file, framework, jar)
    evidence = [Evidence("file", "Java build file", source=path) for path in (maven, gradle) if path]
    if framework:
        evidence.append(Evidence("framework", "Framework evidence", framework, build_file))
    if jar:
        evidence.append(Evidence("artifact", "Runnable jar", jar, jar))
    return Found(
        planner="java",
        family="java",
        framework=framework,
        manager=tool,  # type: ignore[arg-type]
        shape="serverful-http",
        version=java_version(manifests) or _declared_version(text),
        project_name=_artifact(text),
        server=framework is not None,
        evidence=tuple(evidence),
        issues=issues,
        java=JavaFacts(
            tool=tool,  # type: ignore[arg-type]
            wrapper=manifests.has("mvnw" if tool == "maven" else "gradlew"),
            jar=_output(tool, framework) if tool else jar,
            actuator="spring-boot-starter-actuator" in text,
            prebuilt=tool is None,
        ),
    )


def _issues(
    maven: str | None, gradle: str | None, build_file: str | None, framework: str | None, jar: str | None
) -> tuple[Issue, ...]:
    if maven and gradle:
        message = "Both a Maven and a Gradle build are present; say which one is meant by a build command."
        evidence = (Evidence("file", "Maven", source=maven), Evidence("file", "Gradle", source=gradle))
        return (Issue("ambiguous-jvm-build-tool", message, evidence, ("buildCommand",)),)
    if (maven or gradle) and build_file is None:
        message = "A build wrapper is present, but no build file for it (pom.xml, build.gradle)."
        return (Issue("missing-jvm-build-tool", message, overridden_by=("buildCommand",)),)
    if framework == "micronaut":
        return (Issue("missing-start-intent", "A Micronaut application needs an explicit start command."),)
    if framework is None and jar is None:
        message = "Nothing in the build says that it makes a runnable jar."
        return (Issue("missing-runnable-jar", message),)
    return ()


def _output(tool: str | None, framework: str | None) -> str:
    if framework == "quarkus":
        return "target/quarkus-app/quarkus-run.jar" if tool == "maven" else "build/quarkus-app/quarkus-run.jar"
    return "target/*.jar" if tool == "maven" else "build/libs/*.jar"


def _artifact(text: str) -> str | None:
    # The parent's coordinates come first in a pom; the project's own stand outside of it.
    own = re.sub(r"<parent>.{0,2000}?</parent>", "", text, count=1, flags=re.DOTALL)
    match = re.search(r"<artifactId>\s{0,20}([\w.\-]+)\s{0,20}</artifactId>", own)
    return match.group(1) if match else None


def _declared_version(text: str) -> str | None:
    for pattern in (
        r"<(?:java\.version|maven\.compiler\.release)>\s{0,20}(?:1\.)?(\d{1,2})\s{0,20}<",
        r"JavaLanguageVersion\.of\((\d{1,2})\)",
    ):
        match = re.search(pattern, text)
        if match:
            return match.group(1)
    return None
