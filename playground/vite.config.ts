/** @file The playground builds to a static folder that works under any path, on a host that sends no special headers. */
import quern from '@quern/vite-plugin'
import { defineConfig } from 'vite'
import { stages } from './build/stages.ts'
import { testDigits } from './build/test-digits.ts'

export default defineConfig({
  base: './',
  plugins: [quern({ targets: ['wasm', 'webgpu'] }), stages(), testDigits()],
  worker: { format: 'es', plugins: () => [quern({ targets: ['wasm', 'webgpu'] })] },
  build: { target: 'es2023' },
})
