// Package objectstore reaches S3-compatible object stores: it lists objects,
// reads ranges of them, writes them whole, and says in plain words why it
// cannot.
//
// Where the store is and who asks comes from where other tools have it too: the
// environment (AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and
// so on), the profile files, or the role of the machine. Credentials are never
// part of a message, and [Access] prints without them.
package objectstore
