/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's DSDT: one PCI root with the PIIX3 ISA bridge, its four interrupt
 * links, and the legacy devices.  Processors are described by the MADT alone.
 */
DefinitionBlock ("acpi_dsdt.aml", "DSDT", 1, "RPRISE", "RPPC", 1)
{
    Name (\_S5, Package () { Zero, Zero, Zero, Zero })   /* SLP_TYP 0: power off */

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, Zero)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0xff, 0, 0x100)
                IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0000, 0x0cf7, 0, 0x0cf8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0d00, 0xffff, 0, 0xf300)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
                             0, 0x000a0000, 0x000bffff, 0, 0x00020000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                             0, 0xe0000000, 0xfebfffff, 0, 0x1ec00000)
            })

            /* Slot S, pin P is wired to PIRQ (S + P - 1) mod 4, as on the 440FX board; 00:01.3 raises the SCI. */
            Name (_PRT, Package (128)
            {
                Package () { 0x00ffff, 0, LNKD, 0 }, Package () { 0x00ffff, 1, LNKA, 0 },
                Package () { 0x00ffff, 2, LNKB, 0 }, Package () { 0x00ffff, 3, LNKC, 0 },
                Package () { 0x01ffff, 0, LNKS, 0 }, Package () { 0x01ffff, 1, LNKB, 0 },
                Package () { 0x01ffff, 2, LNKC, 0 }, Package () { 0x01ffff, 3, LNKD, 0 },
                Package () { 0x02ffff, 0, LNKB, 0 }, Package () { 0x02ffff, 1, LNKC, 0 },
                Package () { 0x02ffff, 2, LNKD, 0 }, Package () { 0x02ffff, 3, LNKA, 0 },
                Package () { 0x03ffff, 0, LNKC, 0 }, Package () { 0x03ffff, 1, LNKD, 0 },
                Package () { 0x03ffff, 2, LNKA, 0 }, Package () { 0x03ffff, 3, LNKB, 0 },
                Package () { 0x04ffff, 0, LNKD, 0 }, Package () { 0x04ffff, 1, LNKA, 0 },
                Package () { 0x04ffff, 2, LNKB, 0 }, Package () { 0x04ffff, 3, LNKC, 0 },
                Package () { 0x05ffff, 0, LNKA, 0 }, Package () { 0x05ffff, 1, LNKB, 0 },
                Package () { 0x05ffff, 2, LNKC, 0 }, Package () { 0x05ffff, 3, LNKD, 0 },
                Package () { 0x06ffff, 0, LNKB, 0 }, Package () { 0x06ffff, 1, LNKC, 0 },
                Package () { 0x06ffff, 2, LNKD, 0 }, Package () { 0x06ffff, 3, LNKA, 0 },
                Package () { 0x07ffff, 0, LNKC, 0 }, Package () { 0x07ffff, 1, LNKD, 0 },
                Package () { 0x07ffff, 2, LNKA, 0 }, Package () { 0x07ffff, 3, LNKB, 0 },
                Package () { 0x08ffff, 0, LNKD, 0 }, Package () { 0x08ffff, 1, LNKA, 0 },
                Package () { 0x08ffff, 2, LNKB, 0 }, Package () { 0x08ffff, 3, LNKC, 0 },
                Package () { 0x09ffff, 0, LNKA, 0 }, Package () { 0x09ffff, 1, LNKB, 0 },
                Package () { 0x09ffff, 2, LNKC, 0 }, Package () { 0x09ffff, 3, LNKD, 0 },
                Package () { 0x0affff, 0, LNKB, 0 }, Package () { 0x0affff, 1, LNKC, 0 },
                Package () { 0x0affff, 2, LNKD, 0 }, Package () { 0x0affff, 3, LNKA, 0 },
                Package () { 0x0bffff, 0, LNKC, 0 }, Package () { 0x0bffff, 1, LNKD, 0 },
                Package () { 0x0bffff, 2, LNKA, 0 }, Package () { 0x0bffff, 3, LNKB, 0 },
                Package () { 0x0cffff, 0, LNKD, 0 }, Package () { 0x0cffff, 1, LNKA, 0 },
                Package () { 0x0cffff, 2, LNKB, 0 }, Package () { 0x0cffff, 3, LNKC, 0 },
                Package () { 0x0dffff, 0, LNKA, 0 }, Package () { 0x0dffff, 1, LNKB, 0 },
                Package () { 0x0dffff, 2, LNKC, 0 }, Package () { 0x0dffff, 3, LNKD, 0 },
                Package () { 0x0effff, 0, LNKB, 0 }, Package () { 0x0effff, 1, LNKC, 0 },
                Package () { 0x0effff, 2, LNKD, 0 }, Package () { 0x0effff, 3, LNKA, 0 },
                Package () { 0x0fffff, 0, LNKC, 0 }, Package () { 0x0fffff, 1, LNKD, 0 },
                Package () { 0x0fffff, 2, LNKA, 0 }, Package () { 0x0fffff, 3, LNKB, 0 },
                Package () { 0x10ffff, 0, LNKD, 0 }, Package () { 0x10ffff, 1, LNKA, 0 },
                Package () { 0x10ffff, 2, LNKB, 0 }, Package () { 0x10ffff, 3, LNKC, 0 },
                Package () { 0x11ffff, 0, LNKA, 0 }, Package () { 0x11ffff, 1, LNKB, 0 },
                Package () { 0x11ffff, 2, LNKC, 0 }, Package () { 0x11ffff, 3, LNKD, 0 },
                Package () { 0x12ffff, 0, LNKB, 0 }, Package () { 0x12ffff, 1, LNKC, 0 },
                Package () { 0x12ffff, 2, LNKD, 0 }, Package () { 0x12ffff, 3, LNKA, 0 },
                Package () { 0x13ffff, 0, LNKC, 0 }, Package () { 0x13ffff, 1, LNKD, 0 },
                Package () { 0x13ffff, 2, LNKA, 0 }, Package () { 0x13ffff, 3, LNKB, 0 },
                Package () { 0x14ffff, 0, LNKD, 0 }, Package () { 0x14ffff, 1, LNKA, 0 },
                Package () { 0x14ffff, 2, LNKB, 0 }, Package () { 0x14ffff, 3, LNKC, 0 },
                Package () { 0x15ffff, 0, LNKA, 0 }, Package () { 0x15ffff, 1, LNKB, 0 },
                Package () { 0x15ffff, 2, LNKC, 0 }, Package () { 0x15ffff, 3, LNKD, 0 },
                Package () { 0x16ffff, 0, LNKB, 0 }, Package () { 0x16ffff, 1, LNKC, 0 },
                Package () { 0x16ffff, 2, LNKD, 0 }, Package () { 0x16ffff, 3, LNKA, 0 },
                Package () { 0x17ffff, 0, LNKC, 0 }, Package () { 0x17ffff, 1, LNKD, 0 },
                Package () { 0x17ffff, 2, LNKA, 0 }, Package () { 0x17ffff, 3, LNKB, 0 },
                Package () { 0x18ffff, 0, LNKD, 0 }, Package () { 0x18ffff, 1, LNKA, 0 },
                Package () { 0x18ffff, 2, LNKB, 0 }, Package () { 0x18ffff, 3, LNKC, 0 },
                Package () { 0x19ffff, 0, LNKA, 0 }, Package () { 0x19ffff, 1, LNKB, 0 },
                Package () { 0x19ffff, 2, LNKC, 0 }, Package () { 0x19ffff, 3, LNKD, 0 },
                Package () { 0x1affff, 0, LNKB, 0 }, Package () { 0x1affff, 1, LNKC, 0 },
                Package () { 0x1affff, 2, LNKD, 0 }, Package () { 0x1affff, 3, LNKA, 0 },
                Package () { 0x1bffff, 0, LNKC, 0 }, Package () { 0x1bffff, 1, LNKD, 0 },
                Package () { 0x1bffff, 2, LNKA, 0 }, Package () { 0x1bffff, 3, LNKB, 0 },
                Package () { 0x1cffff, 0, LNKD, 0 }, Package () { 0x1cffff, 1, LNKA, 0 },
                Package () { 0x1cffff, 2, LNKB, 0 }, Package () { 0x1cffff, 3, LNKC, 0 },
                Package () { 0x1dffff, 0, LNKA, 0 }, Package () { 0x1dffff, 1, LNKB, 0 },
                Package () { 0x1dffff, 2, LNKC, 0 }, Package () { 0x1dffff, 3, LNKD, 0 },
                Package () { 0x1effff, 0, LNKB, 0 }, Package () { 0x1effff, 1, LNKC, 0 },
                Package () { 0x1effff, 2, LNKD, 0 }, Package () { 0x1effff, 3, LNKA, 0 },
                Package () { 0x1fffff, 0, LNKC, 0 }, Package () { 0x1fffff, 1, LNKD, 0 },
                Package () { 0x1fffff, 2, LNKA, 0 }, Package () { 0x1fffff, 3, LNKB, 0 }
            })

            Device (ISA)
            {
                Name (_ADR, 0x00010000)
                OperationRegion (PIRQ, PCI_Config, 0x60, 4)

                Device (FWCF)                            /* fw_cfg (QEMU's docs/specs/fw_cfg.rst) */
                {
                    Name (_HID, "QEMU0002")
                    Name (_STA, 0x0b)
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x0510, 0x0510, 1, 0x0c) })
                }
                Device (RTC)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x0070, 0x0070, 0x10, 2)
                        IRQNoFlags () { 8 }
                    })
                }
                Device (KBD)
                {
                    Name (_HID, EisaId ("PNP0303"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x0060, 0x0060, 1, 1)
                        IO (Decode16, 0x0064, 0x0064, 1, 1)
                        IRQNoFlags () { 1 }
                    })
                }
                Device (MOU)
                {
                    Name (_HID, EisaId ("PNP0F13"))
                    Name (_CRS, ResourceTemplate () { IRQNoFlags () { 12 } })
                }
                Device (COM1)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 1)
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x03f8, 0x03f8, 0, 8)
                        IRQNoFlags () { 4 }
                    })
                }
            }
        }

        Field (PCI0.ISA.PIRQ, ByteAcc, NoLock, Preserve)
        {
            PRQ0, 8,
            PRQ1, 8,
            PRQ2, 8,
            PRQ3, 8
        }

        /* PIIX3 route register: bit 7 off means routed, low four bits are the IRQ. */
        Method (PSTA, 1, NotSerialized)
        {
            If (Arg0 & 0x80) { Return (0x09) }
            Return (0x0b)
        }
        Name (BUF0, ResourceTemplate () { Interrupt (, Level, ActiveHigh, Shared) { 0 } })
        CreateDWordField (BUF0, 0x05, BIRQ)
        Method (PCRS, 1, Serialized)
        {
            BIRQ = Zero
            If (! (Arg0 & 0x80)) { BIRQ = Arg0 & 0x0f }
            Return (BUF0)
        }
        Name (PPRS, ResourceTemplate () { Interrupt (, Level, ActiveHigh, Shared) { 5, 10, 11 } })

        Device (LNKA)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 0)
            Method (_STA, 0, NotSerialized) { Return (PSTA (PRQ0)) }
            Method (_PRS, 0, NotSerialized) { Return (PPRS) }
            Method (_CRS, 0, NotSerialized) { Return (PCRS (PRQ0)) }
            Method (_DIS, 0, NotSerialized) { PRQ0 |= 0x80 }
            Method (_SRS, 1, NotSerialized) { CreateDWordField (Arg0, 0x05, IRQN) PRQ0 = IRQN }
        }
        Device (LNKB)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 1)
            Method (_STA, 0, NotSerialized) { Return (PSTA (PRQ1)) }
            Method (_PRS, 0, NotSerialized) { Return (PPRS) }
            Method (_CRS, 0, NotSerialized) { Return (PCRS (PRQ1)) }
            Method (_DIS, 0, NotSerialized) { PRQ1 |= 0x80 }
            Method (_SRS, 1, NotSerialized) { CreateDWordField (Arg0, 0x05, IRQN) PRQ1 = IRQN }
        }
        Device (LNKC)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 2)
            Method (_STA, 0, NotSerialized) { Return (PSTA (PRQ2)) }
            Method (_PRS, 0, NotSerialized) { Return (PPRS) }
            Method (_CRS, 0, NotSerialized) { Return (PCRS (PRQ2)) }
            Method (_DIS, 0, NotSerialized) { PRQ2 |= 0x80 }
            Method (_SRS, 1, NotSerialized) { CreateDWordField (Arg0, 0x05, IRQN) PRQ2 = IRQN }
        }
        Device (LNKD)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 3)
            Method (_STA, 0, NotSerialized) { Return (PSTA (PRQ3)) }
            Method (_PRS, 0, NotSerialized) { Return (PPRS) }
            Method (_CRS, 0, NotSerialized) { Return (PCRS (PRQ3)) }
            Method (_DIS, 0, NotSerialized) { PRQ3 |= 0x80 }
            Method (_SRS, 1, NotSerialized) { CreateDWordField (Arg0, 0x05, IRQN) PRQ3 = IRQN }
        }
        Device (LNKS)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Name (_PRS, ResourceTemplate () { Interrupt (, Level, ActiveHigh, Shared) { 9 } })
            Name (_CRS, ResourceTemplate () { Interrupt (, Level, ActiveHigh, Shared) { 9 } })
            Name (_STA, 0x0b)
            Method (_DIS, 0, NotSerialized) { }
            Method (_SRS, 1, NotSerialized) { }
        }

        Device (HPET)
        {
            Name (_HID, EisaId ("PNP0103"))
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate () { Memory32Fixed (ReadOnly, 0xfed00000, 0x00000400) })
        }
    }
}
