// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

/**
 * What a kernel may or may not have. A feature is probed by trying it, never derived from a version string; the version
 * given here is the first upstream one and serves as a hint in messages only.
 */
public enum Feature {
    CLONE3("clone3(2)", "5.3", "starting every container", "none"),
    CLONE_CLEAR_SIGHAND("CLONE_CLEAR_SIGHAND", "5.5", "a child without the JVM's signal handlers", "none"),
    CLONE_INTO_CGROUP("CLONE_INTO_CGROUP", "5.7", "a child born inside its cgroup", "none"),
    PIDFD("pidfd_open(2) and CLONE_PIDFD", "5.3", "waiting and signalling without races", "none"),
    PIDFD_SETNS(
            "setns(2) with a pidfd", "5.8", "joining several namespaces at once", "one /proc/PID/ns file at a time"),
    CLOSE_RANGE("close_range(2) with CLOEXEC", "5.11", "closing inherited descriptors", "none"),
    OPENAT2("openat2(2)", "5.6", "resolving paths inside a root", "none"),
    NEW_MOUNT_API("fsopen(2), fsmount(2), move_mount(2), open_tree(2)", "5.2", "mounting through descriptors", "none"),
    MOUNT_SETATTR("mount_setattr(2)", "5.12", "recursive mount attributes", "none"),
    OVERLAY("overlayfs", "3.18", "layers", "none"),
    OVERLAY_LOWERDIR_APPEND("overlayfs lowerdir+", "6.8", "many lower layers", "mount(2) with short links"),
    OVERLAY_LAYER_DESCRIPTORS("overlayfs layers by descriptor", "6.13", "layers that no path races", "short paths"),
    OVERLAY_USERXATTR("overlayfs in a user namespace", "5.11", "rootless layers", "fuse-overlayfs or a copy"),
    USER_NAMESPACE("user namespaces for this user", "3.8", "running without root", "run as root"),
    TIME_NAMESPACE("time namespaces", "5.6", "clock offsets", "none"),
    TIME_NAMESPACE_AT_EXEC("time namespace entered by execve(2)", "6.3", "clock offsets for the first process", "none"),
    CGROUP_NAMESPACE("cgroup namespaces", "4.6", "hiding the host's cgroup paths", "none"),
    SECCOMP_FILTER("seccomp filters", "3.17", "system call filters", "none"),
    SECCOMP_USER_NOTIFICATION("seccomp user notification", "5.0", "supervisors", "none"),
    SECCOMP_WAIT_KILLABLE(
            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "5.19", "supervised calls not interrupted", "plain notification"),
    CGROUP_KILL("cgroup.kill", "5.14", "killing a whole cgroup at once", "freeze and kill one by one"),
    LANDLOCK("Landlock", "5.13", "file access rules without privilege", "none"),
    IDMAPPED_MOUNTS("idmapped mounts", "5.12", "one layer under several id maps", "chown"),
    AMBIENT_CAPABILITIES("ambient capabilities", "4.3", "capabilities for users other than root", "none");

    private final String title;
    private final String since;
    private final String usedFor;
    private final String fallback;

    Feature(String title, String since, String usedFor, String fallback) {
        this.title = title;
        this.since = since;
        this.usedFor = usedFor;
        this.fallback = fallback;
    }

    /** {@return the name a reader of man pages knows} */
    public String title() {
        return title;
    }

    /** {@return the first upstream release with it, as {@code "5.12"}} */
    public String since() {
        return since;
    }

    /** {@return what Caisson does with it} */
    public String usedFor() {
        return usedFor;
    }

    /** {@return what is used where it is missing, or {@code "none"}} */
    public String fallback() {
        return fallback;
    }
}
