/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pvpanic, when the machine has it; acpi.c puts its real port into _CRS (QEMU's docs/specs/pvpanic.rst). */
DefinitionBlock ("acpi_pvpanic.aml", "SSDT", 1, "RPRISE", "RPPVPNC", 1)
{
    External (\_SB.PCI0.ISA, DeviceObj)
    Scope (\_SB.PCI0.ISA)
    {
        Device (PEVT)
        {
            Name (_HID, "QEMU0001")
            Name (_CRS, ResourceTemplate () { IO (Decode16, 0x0505, 0x0505, 1, 1) })
            Name (_STA, 0x0f)
        }
    }
}
