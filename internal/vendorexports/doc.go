// Package vendorexports writes the exports in testdata/vendors: one story of
// people who saw a checkout and bought, told in the shape of each vendor's
// export, with what such exports have besides that must not count. The story
// itself lies beside them, so that what must come out can be counted without
// the program. make vendors writes them anew.
package vendorexports
