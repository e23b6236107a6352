export interface HostQueueOptions {
  /** Tasks that run at a time. */
  readonly concurrency: number
  /** Hosts that are worked on at a time. */
  readonly hosts: number
  /** Tasks that run at a time for one host. */
  readonly perHost: number
  /** Tasks that may wait before `add` makes its caller wait. */
  readonly waiting: number
}

/** Must not reject. */
type Task = () => Promise<void>

/** Runs tasks so that no host gets many at once, and a slow host keeps nobody else waiting. */
export class HostQueue {
  readonly #options: HostQueueOptions
  readonly #waiting = new Map<string, Task[]>()
  readonly #running = new Map<string, number>()
  readonly #rooms: (() => void)[] = []
  readonly #idlers: (() => void)[] = []
  #waitingCount = 0
  #runningCount = 0

  constructor(options: HostQueueOptions) {
    this.#options = options
  }

  /** Resolves when the task has been taken: at once, unless too many wait. */
  async add(host: string, task: Task): Promise<void> {
    while (this.#waitingCount >= this.#options.waiting) {
      await new Promise<void>((resolve) => this.#rooms.push(resolve))
    }
    const tasks = this.#waiting.get(host)
    if (tasks) tasks.push(task)
    else this.#waiting.set(host, [task])
    this.#waitingCount++
    this.#pump()
  }

  /** Forgets the tasks that wait. */
  clear(): void {
    this.#waiting.clear()
    this.#waitingCount = 0
    this.#tell()
  }

  /** Resolves when no task waits or runs. */
  async idle(): Promise<void> {
    while (this.#waitingCount + this.#runningCount > 0) {
      await new Promise<void>((resolve) => this.#idlers.push(resolve))
    }
  }

  #pump(): void {
    for (const [host, tasks] of this.#waiting) {
      while (tasks.length > 0 && this.#mayStart(host)) this.#start(host, tasks.shift()!)
      if (tasks.length === 0) this.#waiting.delete(host)
      if (this.#runningCount >= this.#options.concurrency) return
    }
  }

  #mayStart(host: string): boolean {
    const { concurrency, hosts, perHost } = this.#options
    if (this.#runningCount >= concurrency) return false
    const running = this.#running.get(host) ?? 0
    return running === 0 ? this.#running.size < hosts : running < perHost
  }

  #start(host: string, task: Task): void {
    this.#waitingCount--
    this.#runningCount++
    this.#running.set(host, (this.#running.get(host) ?? 0) + 1)
    void task().finally(() => {
      this.#runningCount--
      const left = this.#running.get(host)! - 1
      if (left > 0) this.#running.set(host, left)
      else this.#running.delete(host)
      this.#pump()
      this.#tell()
    })
  }

  #tell(): void {
    if (this.#waitingCount < this.#options.waiting) this.#rooms.shift()?.()
    if (this.#waitingCount + this.#runningCount === 0) for (const resolve of this.#idlers.splice(0)) resolve()
  }
}
