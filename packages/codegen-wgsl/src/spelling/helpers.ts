/** @file WGSL functions that give scalar ops their total semantics; a shader contains those it calls. */
import { type Lanes, typeName } from './types.ts'

interface Types {
  readonly lanes: Lanes
  readonly F: string
  readonly I: string
  readonly U: string
  readonly B: string
  /** The name of another helper for the same number of lanes. */
  use(name: HelperName): string
}

/** Every float helper judges NaN by bits: WGSL lets implementations assume that floats are finite. */
const bodies = {
  from_bits: ({ F, U }) => `(x: ${U}) -> ${F} { return bitcast<${F}>(x); }`,
  /** Hides a literal from constant evaluation, where overflow is an error instead of a value. */
  opaque_f32: ({ F }) => `(x: ${F}) -> ${F} { return x; }`,
  opaque_f16: ({ lanes }) => `(x: ${typeName('f16', lanes)}) -> ${typeName('f16', lanes)} { return x; }`,
  opaque_i32: ({ I }) => `(x: ${I}) -> ${I} { return x; }`,
  opaque_u32: ({ U }) => `(x: ${U}) -> ${U} { return x; }`,
  opaque_bool: ({ B }) => `(x: ${B}) -> ${B} { return x; }`,
  is_nan: ({ F, U, B }) => `(x: ${F}) -> ${B} { return (bitcast<${U}>(x) & ${U}(0x7fffffffu)) > ${U}(0x7f800000u); }`,
  max_f32: t => extremum(t, '>', '&'),
  min_f32: t => extremum(t, '<', '|'),
  sqrt_f32: ({ F, U, use }) =>
    `(x: ${F}) -> ${F} { return select(sqrt(x), ${use('from_bits')}(${U}(0x7fc00000u)), (x < ${F}(0.0f)) | ${use('is_nan')}(x)); }`,
  rem_f32: t => (t.lanes === 1 ? floatRemainder(t) : perLane(t, 'rem_f32')),
  div_i32: ({ I, use }) => `(x: ${I}, y: ${I}) -> ${I} {
  let zero = y == ${I}(0i);
  let overflow = (x == ${use('opaque_i32')}(${I}(-2147483647i - 1i))) & (y == ${I}(-1i));
  return select(x / select(y, ${I}(1i), zero | overflow), ${I}(0i), zero);
}`,
  rem_i32: ({ I, use }) => `(x: ${I}, y: ${I}) -> ${I} {
  let overflow = (x == ${use('opaque_i32')}(${I}(-2147483647i - 1i))) & (y == ${I}(-1i));
  return x % select(y, ${I}(1i), (y == ${I}(0i)) | overflow);
}`,
  div_u32: ({ U }) => `(x: ${U}, y: ${U}) -> ${U} {
  let zero = y == ${U}(0u);
  return select(x / select(y, ${U}(1u), zero), ${U}(0u), zero);
}`,
  rem_u32: ({ U }) => `(x: ${U}, y: ${U}) -> ${U} { return x % select(y, ${U}(1u), y == ${U}(0u)); }`,
  floor_div: () => `(x: i32, y: i32) -> i32 { return x / y - select(0i, 1i, x % y < 0i); }`,
  floor_mod: () => `(x: i32, y: i32) -> i32 { let r = x % y; return select(r, r + y, r < 0i); }`,
  to_i32: ({ F, I, use }) => `(x: ${F}) -> ${I} {
  let inside = ${I}(clamp(x, ${F}(-2147483648.0f), ${F}(2147483520.0f)));
  return select(select(inside, ${I}(2147483647i), x >= ${F}(2147483648.0f)), ${I}(0i), ${use('is_nan')}(x));
}`,
  to_u32: ({ F, U, use }) => `(x: ${F}) -> ${U} {
  let inside = ${U}(clamp(x, ${F}(0.0f), ${F}(4294967040.0f)));
  return select(select(inside, ${U}(4294967295u), x >= ${F}(4294967296.0f)), ${U}(0u), ${use('is_nan')}(x));
}`,
  /** Rounds to the nearest half float, ties to even; subnormals in steps of 2^-24. */
  round_f16: ({ F, U, use }) => `(x: ${F}) -> ${F} {
  let bits = bitcast<${U}>(x);
  let size = bits & ${U}(0x7fffffffu);
  let sign = bits & ${U}(0x80000000u);
  let nearest = (size + ${U}(0xfffu) + ((size >> ${U}(13u)) & ${U}(1u))) & ${U}(0xffffe000u);
  let normal = select(nearest, ${U}(0x7f800000u), nearest >= ${U}(0x47800000u));
  let small = bitcast<${U}>(round(bitcast<${F}>(size) * ${F}(16777216.0f)) * ${F}(5.9604644775390625e-8f));
  let rounded = select(normal, small, size < ${U}(0x38800000u));
  return select(${use('from_bits')}(sign | rounded), x, ${use('is_nan')}(x));
}`,
  /** Half float bits of a value that a half float can hold, and back. */
  to_half: ({ F, U }) => `(x: ${F}) -> ${U} {
  let bits = bitcast<${U}>(x);
  let size = bits & ${U}(0x7fffffffu);
  let sign = (bits >> ${U}(16u)) & ${U}(0x8000u);
  let normal = (size - ${U}(0x38000000u)) >> ${U}(13u);
  let small = ${U}(bitcast<${F}>(min(size, ${U}(0x38800000u))) * ${F}(16777216.0f));
  let finite = select(normal, small, size < ${U}(0x38800000u));
  let wide = select(finite, ${U}(0x7c00u), size >= ${U}(0x47800000u));
  return sign | select(wide, ${U}(0x7e00u), size > ${U}(0x7f800000u));
}`,
  from_half: ({ F, U, use }) => `(x: ${U}) -> ${F} {
  let size = x & ${U}(0x7fffu);
  let sign = (x & ${U}(0x8000u)) << ${U}(16u);
  let small = bitcast<${U}>(${F}(size) * ${F}(5.9604644775390625e-8f));
  let normal = (size << ${U}(13u)) + ${U}(0x38000000u);
  let finite = select(normal, small, size < ${U}(0x400u));
  return ${use('from_bits')}(sign | select(finite, ${U}(0x7f800000u) | (size << ${U}(13u)), size >= ${U}(0x7c00u)));
}`,
} as const satisfies Record<string, (types: Types) => string>
export type HelperName =
  | 'from_bits'
  | `opaque_${'f32' | 'f16' | 'i32' | 'u32' | 'bool'}`
  | 'is_nan'
  | 'max_f32'
  | 'min_f32'
  | 'sqrt_f32'
  | 'rem_f32'
  | `${'div' | 'rem'}_${'i32' | 'u32'}`
  | 'floor_div'
  | 'floor_mod'
  | 'to_i32'
  | 'to_u32'
  | 'round_f16'
  | 'to_half'
  | 'from_half'

/** −0 orders below +0: of two equal floats, `and` of the bits is the larger zero and `or` the smaller. */
const extremum = ({ F, U, use }: Types, order: '>' | '<', join: '&' | '|'): string => `(x: ${F}, y: ${F}) -> ${F} {
  let equal = ${use('from_bits')}(bitcast<${U}>(x) ${join} bitcast<${U}>(y));
  let picked = select(select(y, x, x ${order} y), equal, x == y);
  return select(select(picked, y, ${use('is_nan')}(y)), x, ${use('is_nan')}(x));
}`

const perLane = ({ F, lanes }: Types, name: HelperName): string => {
  const parts = ['x', 'y', 'z', 'w'].slice(0, lanes).map(c => `${name}(x.${c}, y.${c})`)
  return `(x: ${F}, y: ${F}) -> ${F} { return ${F}(${parts.join(', ')}); }`
}

/** The exact remainder, by long division of the mantissas. */
const floatRemainder = ({ use }: Types): string => `(x: f32, y: f32) -> f32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let b = bitcast<u32>(y) & 0x7fffffffu;
  let sign = bitcast<u32>(x) & 0x80000000u;
  if (a >= 0x7f800000u || b > 0x7f800000u || b == 0u) { return ${use('from_bits')}(0x7fc00000u); }
  if (a < b) { return x; }
  let ea = max(a >> 23u, 1u);
  let eb = max(b >> 23u, 1u);
  let divisor = (b & 0x7fffffu) | select(0u, 0x800000u, b >= 0x800000u);
  var rest = (a & 0x7fffffu) | select(0u, 0x800000u, a >= 0x800000u);
  for (var i = ea; i > eb; i--) { rest = (rest % divisor) << 1u; }
  rest = rest % divisor;
  var exponent = eb;
  while (rest != 0u && rest < 0x800000u && exponent > 1u) { rest = rest << 1u; exponent--; }
  let bits = select(rest, (exponent << 23u) | (rest & 0x7fffffu), rest >= 0x800000u);
  return bitcast<f32>(sign | bits);
}`

/** The helpers a shader calls. */
export class Helpers {
  private readonly texts = new Map<string, string>()

  /** The name to call; the function and those it calls are in {@link text} from now on. */
  use(name: HelperName, lanes: Lanes = 1): string {
    const own = lanes === 1 ? name : `${name}_x${lanes}`
    if (this.texts.has(own)) return own
    this.texts.set(own, '')
    const body = bodies[name]({
      lanes,
      F: typeName('f32', lanes),
      I: typeName('i32', lanes),
      U: typeName('u32', lanes),
      B: typeName('bool', lanes),
      use: other => this.use(other, lanes),
    })
    if (name === 'rem_f32' && lanes > 1) this.use(name)
    this.texts.set(own, `fn ${own}${body}`)
    return own
  }

  /** Functions may stand in any order in WGSL. */
  text(): readonly string[] {
    return [...this.texts.values()]
  }
}
