/** What field names mean, whatever case and language they are written in: FirstName, first_name and PRENOM are one. */

/** `MailingCity`, `mailing_city`, `MAILING-CITY` and `Mailing_City__c` have the words mailing and city. */
export const wordsOf = (name: string): ReadonlyArray<string> =>
  name
    .replace(/__[a-z]$/i, "") // marks a custom field, as at Salesforce
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .normalize("NFD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "")

/** Words that say whose or which, and not what. */
const QUALIFIERS = new Set(["user", "customer", "contact", "person", "profile", "mailing", "address", "is", "1"])

/** Names of one meaning, without spaces. English first, then what accounts in other languages call it. */
const MEANINGS: Readonly<Record<string, string>> = {
  id: "userid extid externalid auth0id auth0userid referenceid externalreference",
  email: "email emailaddress mail emailid courriel correo adressemail",
  given_name: "givenname firstname forename namefirst prenom vorname nombre nome voornaam",
  family_name: "familyname lastname surname namelast nom nachname apellido apellidos cognome sobrenome achternaam",
  middle_name: "middlename namemiddle secondname",
  name: "name fullname displayname",
  nickname: "nickname alias pseudo",
  username: "username login loginname",
  phone: "phone phonenumber mobile mobilephone mobilenumber cellphone sms telephone telefon telefono portable",
  company: "company companyname organization organisation organizationname entreprise societe firma empresa azienda",
  department: "department departement abteilung",
  job_title: "jobtitle title position poste",
  picture: "picture pictureurl avatar avatarurl photo photourl profilepicture",
  website: "website homepage siteweb",
  created:
    "createdat createdon created creationdate createddate signup signupdate signedupat registeredat registrationdate joined datejoined dateinscription",
  updated: "updatedat updatedon modifiedat lastmodified",
  last_login: "lastlogin lastloginat lastlogindate lastsignin lastsigninat lastseen",
  logins: "loginscount logincount logins numberoflogins",
  email_verified: "emailverified verified emailconfirmed",
  birthdate: "birthdate birthday dateofbirth dob datenaissance geburtsdatum fechanacimiento",
  gender: "gender sex sexe geschlecht genero",
  language: "language lang locale preferredlanguage langue sprache idioma",
  time_zone: "timezone zoneinfo",
  street: "street street1 streetaddress rue strasse calle",
  city: "city town ville stadt ciudad citta",
  postal_code: "postalcode zip zipcode postcode codepostal plz",
  region: "region state province subdivision",
  country: "country countrycode pays land pais paese",
  plan: "plan subscriptionplan tier",
  role: "role roles userrole",
}

const meanings: ReadonlyMap<string, string> = new Map(
  Object.entries(MEANINGS).flatMap(([meaning, names]) => names.split(" ").map((name) => [name, meaning] as const)),
)

/** Without case, accents and separators. */
export const bare = (name: string): string => wordsOf(name).join("")

/** One of the words above; undefined for a name that is not in them. */
export const meaningOf = (name: string): string | undefined =>
  meanings.get(bare(name)) ??
  meanings.get(
    wordsOf(name)
      .filter((word) => !QUALIFIERS.has(word))
      .join(""),
  )

/** All words of one stand in the other, and they are not known to mean two different things. */
export const overlaps = (a: string, b: string): boolean => {
  const meant = new Set([meaningOf(a), meaningOf(b)])
  if (meant.size === 2 && !meant.has(undefined)) return false
  const [short = [], long = []] = [wordsOf(a), wordsOf(b)].sort((x, y) => x.length - y.length)
  return short.some((word) => word.length > 2) && short.every((word) => long.includes(word))
}
