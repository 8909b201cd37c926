import {
  type History,
  joined,
  type Known,
  type Node,
  type Vector,
  vectorOf
} from "../../../src/state/merge/history.ts"

interface Point {
  readonly version: number
  readonly vector: Vector
}

/**
 * Commits by name, laid out as branches: one whose first parent is the latest of its branch goes on with that branch, any
 * other one begins a branch.
 */
export class Graph implements History {
  /** How often anything was asked. */
  asked = 0
  readonly names: Array<string> = []
  private readonly nodes = new Map<string, Node>()
  private readonly orders = new Map<string, number>()
  /** Per branch, the forks and merges on it. */
  private readonly points: Array<Array<Point>> = []
  private readonly latest: Array<number> = []

  add(name: string, parents: ReadonlyArray<string>): Node {
    const [first, ...others] = parents.map((parent) => this.nodes.get(parent)!)
    const goesOn = first !== undefined && this.latest[first.branch] === first.version
    const node = goesOn ? { branch: first.branch, version: first.version + 1 } : this.begin()
    this.latest[node.branch] = node.version
    this.nodes.set(name, node)
    this.orders.set(`${node.branch}.${node.version}`, this.names.length)
    this.names.push(name)
    const sources = goesOn ? others : first === undefined ? [] : [first, ...others]
    if (sources.length > 0) this.write(node, goesOn ? [first, ...others] : sources)
    return node
  }

  /** Of a branch's own versions only those at which it forked or merged have a vector written down. */
  private write(node: Node, parents: ReadonlyArray<Node>): void {
    const vectors = parents.map((parent) => vectorOf(parent, this.knownAt(parent)))
    const vector = vectors.reduce(joined, new Map([[node.branch, node.version]]))
    this.points[node.branch]!.push({ version: node.version, vector })
  }

  private begin(): Node {
    this.points.push([])
    this.latest.push(0)
    return { branch: this.points.length - 1, version: 1 }
  }

  nodeOf(name: string): Node {
    return this.nodes.get(name)!
  }

  nameOf({ branch, version }: Node): string {
    return this.names[this.orders.get(`${branch}.${version}`)!]!
  }

  readonly knownAt = ({ branch, version }: Node): Known => {
    this.asked += 1
    const point = this.points[branch]!.findLast((known) => known.version <= version)
    return { vector: point?.vector ?? new Map(), order: this.orders.get(`${branch}.${version}`)! }
  }
}

/** A graph of commits, one a line, each with its parents behind it. */
export const graph = (lines: string): Graph => {
  const made = new Graph()
  for (const line of lines.trim().split("\n")) {
    const [name, ...parents] = line.trim().split(" ")
    made.add(name!, parents)
  }
  return made
}
