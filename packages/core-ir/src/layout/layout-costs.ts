/**
 * @file What a target's kernels take in each layout of their pictures, as measured data: the layout pass of graphs weighs
 * values by it, and knows nothing else of the target.
 */

/** How a picture's elements may lie: `planar` is row-major, the last dim a line of one channel. */
export const pictureForms = ['planar', 'channels-last'] as const
export type PictureForm = (typeof pictureForms)[number]

/** Families of kernels over pictures that differ in what a layout does to them. */
export type PictureFamily =
  /** A window of one pixel over all channels: a matrix product. */
  | 'pointwise'
  /** A larger window over all channels. */
  | 'dense'
  /** A window over each channel alone, with weights and without. */
  | 'depthwise'
  | 'pool'

/** Nanoseconds. */
export interface FormCost {
  /** Of one product (or comparison), where vectors are full. */
  readonly term: number
  /** The share by which a line of one pixel is dearer: starts, ends and borders of lines. */
  readonly line: number
  /** Of one element of the picture that is read, and of the result. */
  readonly operand: number
  readonly result: number
  /** Neighbouring elements that are computed together; the last ones of a line, of a picture or of its channels may be fewer. */
  readonly together: number
  /** Of one element of a picture that lies in another form; absent: no kernel reads one. */
  readonly crossing?: number
}

/** A target without data for a form has no kernels that gain by it. */
export interface LayoutCosts {
  readonly families: Readonly<Record<PictureFamily, Readonly<Partial<Record<PictureForm, FormCost>>>>>
  /** Of one element that a map, or the last step of any kernel, reads in another form than it writes. */
  readonly mapCrossing: number
  /** The largest number up to this that divides a line is the tile of a window; a line that none divides is slower by `oddLine`. */
  readonly tile: number
  readonly oddLine: number
}
