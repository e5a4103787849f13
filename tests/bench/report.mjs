/** @file The text of BENCHMARKS.md. */
const ms = x => (x < 10 ? x.toFixed(2) : x.toFixed(1))
const ratio = x => `${x.toFixed(x < 10 ? 2 : 1)} ×`
const kB = n => `${(n / 1000).toFixed(1)} kB`

const table = (rows, extra = () => '') => {
  const ours = rows.find(r => r.name === 'Quern')
  return [
    '| | median | best | Quern is faster by | error |',
    '|---|---|---|---|---|',
    ...rows.map(
      r =>
        `| ${r.name} | ${ms(r.median)} ms${extra(r)} | ${ms(r.best)} ms | ${r === ours ? '' : ratio(r.median / ours.median)} | ${r.error.toExponential(1)} |`,
    ),
  ].join('\n')
}

export const page = ({ results, digits, processor, browser }) => {
  const { peakGflops, sincos, sincosKernelMs, matmul512 } = results
  const flops = 2 * 512 ** 3
  const ours = matmul512.find(r => r.name === 'Quern')
  const code = digits.files.filter(f => !f.weights)
  const sum = (list, key) => list.reduce((n, f) => n + f[key], 0)
  return `<!-- Written by \`npm run bench\`. -->
# Benchmarks

${processor}; ${browser}, headless, cross-origin isolated; one thread. Contestants alternate within one run, typed arrays in and typed arrays out. The error is the largest difference to double precision, relative to the largest element. Absolute figures hold for this machine and this hour; ratios carry over.

## sin(x) + cos(x), 4,194,304 × f32, with \`into\`

${table(sincos)}

The kernel alone: ${ms(sincosKernelMs.quern)} ms, ${ratio(sincosKernelMs.quern / sincosKernelMs.handwritten)} of a hand-written SIMD loop (${ms(sincosKernelMs.handwritten)} ms, which is wrong for huge arguments; ours is not).

## matmul 512³, f32

${table(matmul512, r => ` (${(flops / r.median / 1e6).toFixed(1)} GFLOP/s)`)}

A register-only multiply-add loop reached ${peakGflops.toFixed(1)} GFLOP/s in the same run: Quern is at ${((flops / ours.median / 1e6 / peakGflops) * 100).toFixed(0)} % of it, copies in and out included.

## digits in a production build (\`vite build\`, wasm)

| file | bytes | brotli |
|---|---|---|
${digits.files.map(f => `| ${f.name} | ${kB(f.raw)} | ${kB(f.brotli)} |`).join('\n')}

Loader, glue and wasm together: **${kB(sum(code, 'brotli'))}** after brotli, weights apart. Compiling the model file, cold, in a process of its own: ${Math.round(digits.compileMs)} ms.
`
}
