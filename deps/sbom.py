"""The bill of materials of what is linked, in CycloneDX 1.6 (ECMA-424)."""
import re

from fetch import described


def package_url(name, entry):
    """Where the version is that one of a package, its package; else the project, or only the name."""
    for source in entry["sources"]:
        package, _, version = source.get("pip_wheel", source.get("pip_sdist", "")).partition("==")
        if (package, version) == (name, entry["version"]):
            return f"pkg:pypi/{package}@{version}"
        crate, _, version = source.get("crate", "").partition("@")
        if version == entry["version"]:
            return f"pkg:cargo/{crate}@{version}"
        project = re.match(r"https://github\.com/([^/]+/[^/]+)/archive/(?:refs/tags/)?(.+?)\.tar\.gz$", source.get("url", ""))
        if project:
            return f"pkg:github/{project[1].lower()}@{project[2]}"
    return f"pkg:generic/{name}@{entry['version']}"


def component(name, entry):
    made = {
        "type": "library",
        "bom-ref": name,
        "name": name,
        "version": entry["version"],
        "description": entry["purpose"],
        "hashes": [{"alg": "SHA-256", "content": entry["sha256"]}],
        "licenses": [{"expression": entry["license"]}],
        "purl": package_url(name, entry),
        "properties": [{"name": "remotemedia:source", "value": described(entry["sources"][0])}],  # which has the hash
    }
    addresses = [source["url"] for source in entry["sources"] if "url" in source]
    if addresses:
        made["externalReferences"] = [{"type": "source-distribution", "url": address} for address in addresses]
    return made


def document(product, version, linked):
    """`linked` is (name, entry of the lock file) of each dependency. The same input gives the same bytes."""
    root = f"{product}@{version}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": root, "name": product, "version": version,
                                   "licenses": [{"expression": "MIT"}], "purl": f"pkg:generic/{root}"}},
        "components": [component(name, entry) for name, entry in linked],
        "dependencies": [{"ref": root, "dependsOn": [name for name, _ in linked]}],
    }
