/** @file Builds the bench page as an app would be built. */
import quern from '@quern/vite-plugin'
import { defineConfig } from 'vite'
// @ts-expect-error a plain JavaScript module of this folder
import { wat } from './wat-plugin.mjs'

export default defineConfig({
  base: './',
  plugins: [quern({ targets: ['wasm'] }), wat()],
  worker: { format: 'es', plugins: () => [quern({ targets: ['wasm'] })] },
  build: { target: 'es2023', assetsInlineLimit: 0 },
})
