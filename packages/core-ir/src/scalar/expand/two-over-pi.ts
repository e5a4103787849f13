/** @file The bits of 2/π that the largest double can need: 1280 of them, behind the point. */

const digits = [
  'a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561',
  'b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73ee88235f52ebb4484',
  'e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980f',
  'ef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b',
  '3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6babf0cfbc209af4361d',
].join('')

/** As words of a width; the first, zero, stands for the bits before the point. As many as the format's exponents reach. */
export const bitsOfTwoOverPi = (width: number): readonly bigint[] => {
  // The largest exponent, what a significand reaches below it, and the two words that follow.
  const count = width === 32 ? 7 : 19
  return [
    0n,
    ...Array.from({ length: count }, (_, i) => BigInt(`0x${digits.slice((i * width) / 4, ((i + 1) * width) / 4)}`)),
  ]
}
