/** @file Reads the bytes of constants from a program's sources, late and once. */
import { QuernError } from '@quern/artifact'
import { type ConstantData, type ProgramGraph } from '@quern/core-ir'

export type ByteRange = Extract<ConstantData, { kind: 'bytes' }>

/** Reads a range of a source; the source says what is wrong when it is shorter than promised. */
export const constantReader =
  (program: ProgramGraph) =>
  async (data: ByteRange): Promise<Uint8Array> => {
    const source = program.sources.get(data.source)
    if (source === undefined)
      throw new QuernError(
        'weights/no-source',
        `the program ${program.name} names the source ${data.source}, which is not there`,
        { source: data.source },
      )
    const bytes = await source.read(data.offset, data.length)
    if (bytes.length !== data.length)
      throw new QuernError(
        'weights/truncated',
        `${data.source} ends before byte ${data.offset + data.length}: it changed while the model was compiled`,
        { source: data.source, offset: data.offset, expected: data.length, found: bytes.length },
      )
    return bytes
  }
