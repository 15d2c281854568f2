/** The recipes of docs/guide/operating.md: the image builds by its steps, and each manifest is one its reader accepts. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Copy, DockerfileParser } from "dockerfile-ast"
import { CronJob } from "kubernetes-models/batch/v1"
import { ConfigMap } from "kubernetes-models/v1"
import { parseAllDocuments } from "yaml"
import { files, read, root } from "./files.ts"
import { sluice, temporaryFolder } from "./sluice.ts"

const page = read("docs/guide/operating.md")

describe("docs/guide/operating.md", () => {
  for (const file of ["github-actions.yaml", "kubernetes.yaml"]) {
    it(`shows docs/operating/${file}`, () => {
      assert.include(page, `\`\`\`yml\n${read(`docs/operating/${file}`)}\`\`\``)
    })
  }

  it("shows the Dockerfile", () => assert.include(page, `\`\`\`dockerfile\n${read("docs/operating/Dockerfile")}\`\`\``))

  it("its crontab lines have five fields and a command that exists", () => {
    const lines = (/```crontab\n([\s\S]*?)```/.exec(page)?.[1] ?? "").split("\n").filter((line) => /^[\d*]/.test(line))
    assert.isNotEmpty(lines)
    for (const line of lines) assert.match(line, /^([\d*/,-]+ ){5}.*\bsluice run /)
  })
})

describe("docs/operating", () => {
  it("the workflow runs one at a time, with secrets from where GitHub keeps them", () => {
    const [document] = parseAllDocuments(read("docs/operating/github-actions.yaml"))
    assert.deepStrictEqual([...(document?.errors ?? []), ...(document?.warnings ?? [])], [])
    const { on, concurrency, jobs } = document?.toJS() ?? {}
    assert.match(on.schedule[0].cron, /^([\d*/,-]+ ){4}[\d*/,-]+$/)
    assert.strictEqual(concurrency["cancel-in-progress"], false)
    const [step] = jobs.run.steps.filter(({ run }: { readonly run?: string }) => run?.includes("sluice") === true)
    for (const name of ["AUTH0_CLIENT_SECRET", "BREVO_API_KEY", "SLUICE_STATE_KEY"]) {
      assert.match(step.env[name], /^\$\{\{ secrets\.\w+ \}\}$/)
    }
  })

  const manifests = parseAllDocuments(read("docs/operating/kubernetes.yaml")).map((each) => {
    assert.deepStrictEqual([...each.errors, ...each.warnings], [])
    return each.toJS()
  })

  it("the manifests are as Kubernetes' schemas have them", () => {
    const [config, job] = manifests
    new ConfigMap(config).validate()
    new CronJob(job).validate()
    const spoiled = { ...job, spec: { ...job.spec, concurrencyPolicy: "Sometimes" } }
    assert.throws(() => new CronJob(spoiled).validate())
  })

  it("one run at a time, with time to finish after a signal, as no root", () => {
    const { concurrencyPolicy, jobTemplate } = manifests[1].spec
    const { spec } = jobTemplate.spec.template
    assert.strictEqual(concurrencyPolicy, "Forbid")
    assert.isAbove(spec.terminationGracePeriodSeconds, 25)
    assert.isTrue(spec.securityContext.runAsNonRoot)
  })

  it("the pipeline in the ConfigMap passes `sluice check`", async () => {
    const place = temporaryFolder()
    const file = path.join(place.path, "users.yaml")
    const text: string = manifests[0].data["users.yaml"]
    fs.writeFileSync(path.join(place.path, "key.pem"), "test-key", { mode: 0o600 })
    fs.writeFileSync(file, text.replace("/run/secrets/sluice/auth0.pem", "./key.pem"))
    const env = { AUTH0_DOMAIN: "acme.eu.auth0.example.com", AUTH0_CLIENT_ID: "test", BREVO_API_KEY: "test-key" }
    const { code, out } = await sluice(["check", file], env)
    place.remove()
    assert.strictEqual(code, 0, out)
  })
})

describe("Dockerfile", () => {
  const place = temporaryFolder()
  afterAll(place.remove)

  /** Where a folder of the image is here. */
  const here = (stage: string, folder: string) => path.join(place.path, stage, folder)

  it("its steps make, in empty folders, a sluice that runs; as no root, and without what builds it", () => {
    let stage = ""
    let folder = "/"
    const env: Record<string, string> = {}
    for (const instruction of DockerfileParser.parse(read("docs/operating/Dockerfile")).getInstructions()) {
      const args = instruction.getArguments().map((each) => each.getValue())
      switch (instruction.getKeyword()) {
        case "FROM":
          assert.strictEqual(args[0], "node:24-slim")
          stage = args[2] ?? "final"
          folder = "/"
          break
        case "WORKDIR":
          folder = args[0] ?? "/"
          fs.mkdirSync(here(stage, folder), { recursive: true })
          break
        case "ENV": {
          const [name = "", value = ""] = (args[0] ?? "").split("=")
          env[name] = value
          break
        }
        case "COPY": {
          const from = instruction instanceof Copy ? (instruction.getFromFlag()?.getValue() ?? "") : ""
          if (from === "") copyProject(here(stage, folder))
          else fs.cpSync(here(from, args[0] ?? ""), here(stage, folder), { recursive: true })
          break
        }
        case "RUN":
          execFileSync("sh", ["-ec", args.join(" ")], {
            cwd: here(stage, folder),
            env: { ...process.env, ...env },
            stdio: ["ignore", "ignore", "inherit"],
          })
          break
        case "USER":
          assert.strictEqual(args[0], "node")
          break
        case "ENTRYPOINT":
          assert.include(args.join(""), "/opt/sluice/bin.js")
          break
        case "CMD":
          break
        default:
          assert.fail(`this test does not know ${instruction.getKeyword()}`)
      }
    }
    const installed = here("final", "/opt/sluice")
    const run = (...flags: ReadonlyArray<string>) =>
      execFileSync(path.join(installed, "bin.js"), flags, {
        cwd: here("final", folder),
        encoding: "utf8",
        env: { PATH: process.env.PATH },
      })
    assert.match(run("--version"), /^sluice \d+\.\d+\.\d+\n$/)
    assert.include(run("plugins"), "auth0")
    assert.isFalse(fs.existsSync(path.join(installed, "node_modules")))
    assert.isTrue(fs.existsSync(path.join(here("final", folder), ".sluice")))
  }, 300_000)

  /** What Git knows, which is what is there in a fresh clone, without what Docker is told to leave out. */
  const copyProject = (to: string) => {
    const ignored = read("docs/operating/Dockerfile.dockerignore")
    for (const kept of [".git", "**/node_modules", "**/.env"]) assert.include(ignored.split("\n"), kept)
    for (const file of files) {
      fs.mkdirSync(path.dirname(path.join(to, file)), { recursive: true })
      fs.copyFileSync(path.join(root, file), path.join(to, file))
    }
  }
})
