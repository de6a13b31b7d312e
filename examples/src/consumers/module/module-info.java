// SPDX-License-Identifier: Apache-2.0

/** A module that requires nothing but what it names. */
module consumer {
    requires dev.caisson;
}
