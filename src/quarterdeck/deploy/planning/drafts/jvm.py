"""Java: a Maven or Gradle build, then `java -jar` on a JDK image."""

from __future__ import annotations

from quarterdeck.deploy.detection.values import Found, JavaFacts
from quarterdeck.deploy.planning.drafts.values import Draft, Where
from quarterdeck.deploy.planning.values import ToolRequirement

JAVA_DEFAULT = "21"


def java_draft(found: Found, where: Where) -> Draft:
    facts = found.java or JavaFacts()
    version = found.version or JAVA_DEFAULT
    jdk = f"eclipse-temurin:{version}-jdk"
    options = {
        "spring-boot": f"-Dserver.port={where.port} ",
        "quarkus": f"-Dquarkus.http.host={where.address} -Dquarkus.http.port={where.port} ",
    }.get(found.framework or "", "")
    tools = (ToolRequirement("java", f"Install a JDK {version} on the server.", version), *_build_tool(facts))
    if facts.tool is None:
        return Draft(base_image=jdk, start=f"java {options}-jar {facts.jar}", issues=(), tools=tools)
    if facts.wrapper:
        base_image = jdk
    else:
        base_image = f"maven:3.9-eclipse-temurin-{version}" if facts.tool == "maven" else f"gradle:8.12-jdk{version}"
    package, jar, artifact = _package(facts, found.framework)
    return Draft(
        base_image=base_image,
        runtime_image=jdk,
        build=_build(facts, found.framework),
        package=package,
        start=f"java {options}-jar {jar}",
        artifacts=(artifact,),
        writable=("/home/app/.m2",) if facts.tool == "maven" else (),
        build_environment={"GRADLE_USER_HOME": "/home/app/.gradle"} if facts.tool == "gradle" else {},
        tools=tools,
    )


def _build(facts: JavaFacts, framework: str | None) -> str:
    if facts.tool == "maven":
        return f"{'sh ./mvnw' if facts.wrapper else 'mvn'} package -DskipTests"
    program = "sh ./gradlew" if facts.wrapper else "gradle"
    return f"{program} bootJar" if framework == "spring-boot" else f"{program} build -x test"


def _package(facts: JavaFacts, framework: str | None) -> tuple[str | None, str, str]:
    """Return the packaging command, the jar to start and the path that the runtime image needs."""
    pattern = facts.jar or "target/*.jar"
    if framework == "quarkus":
        return None, pattern, pattern.rpartition("/")[0]
    folder = pattern.rpartition("/")[0]
    # The build also leaves jars that do not run: sources, documentation, the plain one of a boot build.
    command = (
        f"cp \"$(ls {pattern} | grep -v -e '-plain.jar' -e '-sources.jar' -e '-javadoc.jar' -e '{folder}/original-'"
        ' | head -n 1)" app.jar'
    )
    return command, "app.jar", "app.jar"


def _build_tool(facts: JavaFacts) -> tuple[ToolRequirement, ...]:
    if facts.wrapper or facts.tool is None:
        return ()
    program, name = ("mvn", "Maven") if facts.tool == "maven" else ("gradle", "Gradle")
    return (ToolRequirement(program, f"Install {name} on the server, or add its wrapper to the project."),)
