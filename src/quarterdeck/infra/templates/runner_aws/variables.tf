variable "worker_id" {
  type = string
}

variable "worker_token" {
  type      = string
  sensitive = true
  # A stack that is only destroyed needs none.
  default = ""
}

variable "worker_name" {
  type    = string
  default = ""
}

variable "image_repository" {
  type    = string
  default = ""
}

variable "image_tag" {
  type    = string
  default = "latest"
}

variable "region" {
  type = string
}

variable "cloud_provider" {
  type    = string
  default = "aws"
}

variable "trellis_url" {
  description = "The address of the server that the runner works for."
  type        = string
  default     = ""
}

variable "cpu" {
  description = "1024 units are one processor."
  type        = number
  default     = 512
}

variable "memory" {
  description = "In megabytes."
  type        = number
  default     = 1024
}
