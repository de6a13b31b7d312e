// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** The bill of materials has no parent, so that nothing else keeps it in step with the poms of the modules. */
class PublishingTest {
    private static Element pom(String directory) throws Exception {
        Path file = Production.top().resolve(directory).resolve("pom.xml");
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(file.toFile())
                .getDocumentElement();
    }

    private static List<Element> children(Node parent, String name) {
        var all = new ArrayList<Element>();
        for (var at = parent.getFirstChild(); at != null; at = at.getNextSibling()) {
            if (at instanceof Element element && element.getTagName().equals(name)) {
                all.add(element);
            }
        }
        return all;
    }

    private static String text(Element parent, String name) {
        return children(parent, name).getFirst().getTextContent().strip();
    }

    @Test
    void theBillOfMaterialsListsAllPublishedModulesInOneVersion() throws Exception {
        var bom = pom("core/bom");
        var listed = new TreeSet<String>();
        var managed = children(children(bom, "dependencyManagement").getFirst(), "dependencies");
        for (var dependency : children(managed.getFirst(), "dependency")) {
            assertEquals("${project.version}", text(dependency, "version"));
            listed.add(text(dependency, "artifactId"));
        }
        var modules = new TreeSet<String>();
        for (String module : Production.MODULES) {
            modules.add(text(pom(module), "artifactId"));
        }
        assertEquals(modules, listed);
        assertEquals(text(pom("."), "version"), text(bom, "version"));
    }

    @Test
    void theBillOfMaterialsSaysOfItselfWhatTheParentSays() throws Exception {
        var bom = pom("core/bom");
        var parent = pom(".");
        for (String part : List.of("url", "inceptionYear", "organization", "licenses", "developers", "scm")) {
            assertFalse(text(parent, part).isEmpty(), part);
            assertEquals(text(parent, part), text(bom, part), part);
        }
        assertEquals(List.of(), children(bom, "parent"), "who imports it would have the versions of our tools");
    }

    @Test
    void exactlyTheExportedPackagesAreComparedWithTheLastRelease() throws Exception {
        String pom = Files.readString(Production.top().resolve("pom.xml"));
        String compared = pom.substring(pom.indexOf("<includeExclusively>"), pom.indexOf("</parameter>"));
        var packages = new TreeSet<String>();
        var includes = Pattern.compile("<include>([\\w.]+)</include>").matcher(compared);
        while (includes.find()) {
            packages.add(includes.group(1));
        }
        assertEquals(Production.exportedPackages(), packages);
    }

    @Test
    void nativeImagesAreToldOfAllResources() throws Exception {
        var untold = new TreeSet<String>();
        for (String module : Production.MODULES) {
            Path resources = Production.top().resolve(module).resolve("src/main/resources");
            if (!Files.isDirectory(resources)) {
                continue;
            }
            Path metadata = resources
                    .resolve("META-INF/native-image/dev.caisson")
                    .resolve(text(pom(module), "artifactId"))
                    .resolve("reachability-metadata.json");
            var globs = Pattern.compile("\"glob\": \"([^\"]+)\"")
                    .matcher(Files.readString(metadata))
                    .results()
                    .map(m -> FileSystems.getDefault().getPathMatcher("glob:" + m.group(1)))
                    .toList();
            try (var files = Files.walk(resources)) {
                files.filter(Files::isRegularFile)
                        .map(resources::relativize)
                        .filter(file -> !file.startsWith("META-INF"))
                        .filter(file -> globs.stream().noneMatch(g -> g.matches(file)))
                        .forEach(file -> untold.add(module + ": " + file));
            }
        }
        assertEquals(Set.of(), untold);
    }
}
