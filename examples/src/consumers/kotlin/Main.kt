// SPDX-License-Identifier: Apache-2.0
package consumer

import dev.caisson.Container
import dev.caisson.cgroups.spec.Limits
import dev.caisson.linux.ByteUnit
import dev.caisson.Exit

/** Somebody else's program in Kotlin: nullness, sealed types and overloads as that language sees them. */
fun main() {
    val memory = Limits.none().memoryMax(64, ByteUnit.MB).memoryMax()
    val output = Container.bare().capture("/bin/echo", "hello from", "a container")
    val ended = when (val exit = output.exit()) {
        is Exit.Exited -> "exit code ${exit.code()}"
        is Exit.Killed -> "killed by ${exit.signal()}"
    }
    check(memory.isPresent && ended == "exit code 0") { ended }
    println(output.text())
}
