/** @file Compiles loops: which iterations an invocation runs, and under which agent. */
import { QuernError } from '@quern/artifact'
import { compileIndex } from '../scalar/evaluate.ts'
import type { Stmt } from './kernel.ts'
import { type Code, type Compiler, type Scope, resolver } from './scope.ts'

/** `compileBody` compiles the body in the scope that has the axis. */
export const compileLoop = (
  stmt: Extract<Stmt, { kind: 'for' }>,
  id: number,
  compiler: Compiler,
  scope: Scope,
  compileBody: (scope: Scope) => Code,
): Code => {
  const { machine } = compiler
  const slot = compiler.slot()
  const extent = compileIndex(stmt.extent, resolver(compiler, scope))
  const body = compileBody(new Map([...scope, [stmt.axis, { kind: 'axis', slot }]]))
  const { run, steps } = body
  const { tag } = stmt
  const count = (): number => {
    machine.statement = id
    return extent()
  }
  switch (tag) {
    case 'serial':
    case 'unroll':
      if (steps !== undefined)
        return {
          *steps() {
            const n = count()
            const { axes } = machine.current
            for (let i = 0; i < n; i++) {
              axes[slot] = i
              yield* steps()
            }
          },
        }
      return {
        run: () => {
          const n = count()
          const { axes } = machine.current
          for (let i = 0; i < n; i++) {
            axes[slot] = i
            run()
          }
        },
      }
    case 'vector':
      if (run === undefined)
        throw new QuernError(
          'loop/vector-body',
          `${machine.kernel.name} has a barrier in the vector axis ${stmt.axis}`,
          {
            axis: stmt.axis,
          },
        )
      return {
        run: () => {
          const n = count()
          const { axes } = machine.current
          machine.enterVector()
          for (let i = 0; i < n; i++) {
            axes[slot] = i
            machine.lane.at = i
            run()
          }
          machine.leaveVector()
        },
      }
    case 'parallel':
      if (run === undefined)
        throw new QuernError(
          'loop/barrier-in-parallel',
          `${machine.kernel.name} has a barrier inside the parallel axis ${stmt.axis}`,
          { axis: stmt.axis },
        )
      return {
        run: () => {
          const n = count()
          const { axes, member, team, agent } = machine.current
          const inside = machine.agent !== agent
          const first = machine.agentsOf(id, n)
          const from = inside ? 0 : Math.floor((n * member) / team)
          const to = inside ? n : Math.floor((n * (member + 1)) / team)
          for (let i = from; i < to; i++) {
            axes[slot] = i
            if (!inside) machine.agent = first + i
            run()
          }
          if (!inside) machine.agent = agent
        },
      }
    default: {
      const own = (): boolean => {
        const at = machine.current.thread[tag] ?? machine.group[tag] ?? 0
        machine.current.axes[slot] = at
        return at < count()
      }
      if (steps !== undefined)
        return {
          *steps() {
            if (own()) yield* steps()
          },
        }
      return {
        run: () => {
          if (own()) run()
        },
      }
    }
  }
}
