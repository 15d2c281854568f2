/** The reader of password files that `pg` uses; it brings no types. */
declare module "pgpass" {
  interface Server {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly database: string
  }
  export default function pgpass(server: Server, found: (password: string | undefined) => void): void
}
